package org.loranative.cli;

import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.config.TaskType;
import org.loranative.config.TrainConfig;
import org.loranative.data.sd.PreparedImage;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.train.diffusion.DiffusionTraining;
import org.loranative.train.diffusion.ImageData;
import org.loranative.train.runs.TrainRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native data}. */
@Command(
    name = "data",
    description =
        "Check the images of a configuration and encode them, so that training starts at once.",
    mixinStandardHelpOptions = true)
final class DataCommand implements Callable<Integer> {
  @Mixin private ConfigOptions options;

  @Option(
      names = "--dry-run",
      description = "Only check, and print which image goes to which size and what is cut away.")
  private boolean dryRun;

  @Override
  public Integer call() {
    TrainConfig config = options.read();
    config.requireComplete();
    if (config.task() != TaskType.SD) {
      throw new UserException("data looks at images; task_type is " + config.taskType() + ".");
    }
    if (!dryRun) {
      try (TrainRun run = new TrainRun(config)) {
        run.prepare();
      }
      return 0;
    }
    DiffusionBase base = DiffusionTraining.base(config);
    ImageData data = ImageData.of(config, base.imageStep());
    data.training().stream().map(PreparedImage::describe).forEach(System.out::println);
    data.regularization().stream()
        .map(i -> "regularization: " + i.describe())
        .forEach(System.out::println);
    data.validation().stream().map(i -> "validation: " + i.describe()).forEach(System.out::println);
    return 0;
  }
}
