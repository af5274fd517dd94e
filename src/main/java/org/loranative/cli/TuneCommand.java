package org.loranative.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.train.StopSignal;
import org.loranative.train.tuning.Tuning;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native tune}. */
@Command(
    name = "tune",
    description = "Find learning rate, rank, alpha and epochs by training, within a time.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "  lora-native tune -c my-run.yaml --for 2h --output-dir output/tune",
      "A short run with a rising learning rate, then candidates of which the better half goes on,",
      "each a run in a folder of its own. They are compared record by record on held-out data.",
      "The result is output/tune/tuned.yaml. The same command goes on after Ctrl-C, or when --for",
      "is longer; lora-native board output/tune shows all runs."
    })
final class TuneCommand implements Callable<Integer> {
  @Mixin private RunsOptions runs;

  @Option(
      names = "--for",
      required = true,
      paramLabel = "TIME",
      description = "How long it may take, with earlier calls: 90m, 2h, 1h30m.")
  private String time;

  @Option(
      names = "--ranks",
      split = ",",
      paramLabel = "N",
      description =
          "Ranks to try, with commas between them; by default lora_rank, a quarter, half and twice of it.")
  private List<Integer> ranks = List.of();

  @Override
  public Integer call() throws Exception {
    if (ranks.stream().anyMatch(r -> r < 1)) {
      throw new UserException("--ranks " + ranks + ": each must be 1 or more.");
    }
    new Tuning(
            runs.folder(),
            runs.config(),
            runs.overrides(),
            ranks,
            Tuning.time(time),
            Main.CONSOLE,
            StopSignal.onSignals())
        .run();
    return 0;
  }
}
