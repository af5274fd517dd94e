package org.loranative.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.train.StopSignal;
import org.loranative.train.runs.RunInfo;
import org.loranative.train.runs.RunTable;
import org.loranative.train.runs.Sweep;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native sweep}. */
@Command(
    name = "sweep",
    description = "Train with each of several values, and show which was best.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "  lora-native sweep -c my-run.yaml --over learning_rate=1e-4,5e-4 --over lora_rank=4,16 \\",
      "      --output-dir output/sweep",
      "A run for each combination, in a folder of its own. The same command goes on after Ctrl-C.",
      "lora-native board output/sweep shows them all."
    })
final class SweepCommand implements Callable<Integer> {
  @Mixin private RunsOptions runs;

  @Option(
      names = "--over",
      required = true,
      paramLabel = "KEY=A,B,…",
      description = "A key and its values; repeatable.")
  private List<String> over;

  @Option(
      names = "--random",
      paramLabel = "N",
      description = "Draw so many combinations instead of all.")
  private Optional<Integer> random = Optional.empty();

  @Option(names = "--seed", defaultValue = "0", description = "Seed of the draw (default 0).")
  private long seed;

  @Override
  public Integer call() throws Exception {
    List<Sweep.Axis> axes = over.stream().map(Sweep.Axis::parse).toList();
    if (random.isPresent() && random.get() < 1) {
      throw new UserException("--random is " + random.get() + ", but must be 1 or more.");
    }
    List<Map<String, String>> combinations =
        random.isPresent() ? Sweep.random(axes, random.get(), seed) : Sweep.grid(axes);
    StopSignal stop = StopSignal.onSignals();
    boolean done =
        new Sweep(runs.folder(), runs.config(), runs.overrides())
            .run(combinations, Main.CONSOLE, stop);
    System.out.print(new RunTable(RunInfo.below(runs.folder())).whole());
    if (!done) {
      System.out.println("Stopped; the same command goes on.");
    }
    return done ? 0 : stop.exitCode();
  }
}
