package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
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
        "Check the images of a configuration and encode them, so that training starts at once; of"
            + " texts show which tokens are trained.",
    mixinStandardHelpOptions = true)
final class DataCommand implements Callable<Integer> {
  private static final int SHOWN = 5;

  @Mixin private ConfigOptions options;

  @Option(
      names = "--dry-run",
      description = "Only check, and print which image goes to which size and what is cut away.")
  private boolean dryRun;

  @Option(
      names = "--records",
      paramLabel = "N",
      description = "Texts: show the first N records. Default: 5.")
  private Optional<Integer> records = Optional.empty();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Texts: write them as a page instead of printing them.")
  private Optional<Path> html = Optional.empty();

  @Override
  public Integer call() throws IOException {
    TrainConfig config = options.read();
    config.requireComplete();
    if (config.task() == TaskType.LLM) {
      int shown = records.orElse(SHOWN);
      if (shown < 0) {
        throw new UserException("--records is " + shown + "; expected 0 or more.");
      }
      new ShownTexts(config, shown, html).show();
      return 0;
    }
    if (html.isPresent() || records.isPresent()) {
      throw new UserException(
          (html.isPresent() ? "--html" : "--records")
              + " shows texts; task_type is "
              + config.taskType()
              + ", of whose images --dry-run tells.");
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
