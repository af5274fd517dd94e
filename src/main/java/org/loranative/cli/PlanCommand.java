package org.loranative.cli;

import java.util.concurrent.Callable;
import org.loranative.train.runs.TrainRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native plan}. */
@Command(
    name = "plan",
    description = "Print the memory that a run will take, to the byte, without running it.",
    mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
  @Mixin private ConfigOptions options;

  @Option(
      names = "--dump-plan",
      description = "Also print every op of the largest batch's plan, with shapes and offsets.")
  private boolean dumpPlan;

  @Override
  public Integer call() {
    try (TrainRun run = new TrainRun(options.read())) {
      System.out.print(run.describe(dumpPlan));
      return 0;
    }
  }
}
