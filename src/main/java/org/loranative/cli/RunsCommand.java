package org.loranative.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.train.runs.Prune;
import org.loranative.train.runs.RunInfo;
import org.loranative.train.runs.RunTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native runs}. */
@Command(
    name = "runs",
    description = "List, compare and prune runs.",
    mixinStandardHelpOptions = true,
    subcommands = {
      RunsCommand.ListRuns.class,
      RunsCommand.Compare.class,
      RunsCommand.PruneRuns.class
    },
    synopsisSubcommandLabel = "COMMAND")
final class RunsCommand implements Callable<Integer> {
  @picocli.CommandLine.Spec private picocli.CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return 2;
  }

  private static List<RunInfo> below(List<Path> folders) {
    List<RunInfo> runs = new ArrayList<>();
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new UserException(folder + " is no folder; name one that holds runs.");
      }
      runs.addAll(RunInfo.below(folder));
    }
    if (runs.isEmpty()) {
      throw new UserException(
          folders + " hold no run: a folder with config.yaml and logs, as train writes it.");
    }
    return runs;
  }

  /** {@code runs list}. */
  @Command(
      name = "list",
      description =
          "List the runs below DIR: steps, lowest validation loss (or the last training loss), the"
              + " doctor's verdict, and the settings in which they differ.",
      mixinStandardHelpOptions = true)
  static final class ListRuns implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", arity = "0..*", description = "Default: output.")
    private List<Path> folders = List.of();

    @Option(
        names = "--all",
        description =
            "Every column, however wide; else as many as the terminal (or COLUMNS) has room for.")
    private boolean all;

    @Override
    public Integer call() {
      RunTable table =
          new RunTable(below(folders.isEmpty() ? List.of(Path.of("output")) : folders));
      OptionalInt width = all ? OptionalInt.empty() : Terminal.width();
      System.out.print(
          width.isPresent()
              ? table.within(width.getAsInt(), "runs list --all shows everything.")
              : table.whole());
      return 0;
    }
  }

  /** {@code runs compare}. */
  @Command(
      name = "compare",
      description = "Compare runs: how they ended, and each setting in which they differ.",
      mixinStandardHelpOptions = true)
  static final class Compare implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", arity = "2..*", description = "Folders of runs.")
    private List<Path> folders;

    @Override
    public Integer call() {
      List<RunInfo> runs = new ArrayList<>();
      for (Path folder : folders) {
        if (!Files.exists(folder.resolve("config.yaml"))) {
          throw new UserException(folder + " is no run: it has no config.yaml.");
        }
        Path parent = folder.toAbsolutePath().normalize().getParent();
        runs.add(RunInfo.of(parent, folder.toAbsolutePath().normalize()));
      }
      System.out.print(new RunTable(runs).whole());
      List<String> keys = RunInfo.differing(runs);
      if (keys.isEmpty()) {
        System.out.println("Their settings are the same.");
      }
      return 0;
    }
  }

  /** {@code runs prune}. */
  @Command(
      name = "prune",
      description =
          "Remove old checkpoints, and logs of a certain age. Never an exported adapter, and"
              + " nothing of a run that is training.",
      mixinStandardHelpOptions = true)
  static final class PruneRuns implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders that hold runs.")
    private List<Path> folders;

    @Option(
        names = "--keep",
        defaultValue = "1",
        description = "Newest checkpoints of each run that stay. Default: ${DEFAULT-VALUE}.")
    private int keep;

    @Option(
        names = "--logs-older-than",
        paramLabel = "DAYS",
        description = "Also the logs of runs that wrote none for so many days.")
    private Optional<Integer> days = Optional.empty();

    @Option(names = "--dry-run", description = "Only say what would go.")
    private boolean dryRun;

    @Override
    public Integer call() throws Exception {
      if (keep < 0) {
        throw new UserException("--keep is " + keep + ", but must be 0 or more.");
      }
      List<String> inUse = new ArrayList<>();
      List<Prune.Item> items =
          new Prune(keep, days.map(Duration::ofDays)).items(below(folders), inUse);
      inUse.forEach(name -> System.out.println(name + " is training: left alone"));
      long bytes = 0;
      for (Prune.Item item : items) {
        System.out.printf("%s  %.1f MB%n", item.path(), item.bytes() / 1e6);
        bytes += item.bytes();
        if (!dryRun) {
          Prune.remove(item);
        }
      }
      System.out.printf("%.1f MB %s%n", bytes / 1e6, dryRun ? "would be freed" : "freed");
      return 0;
    }
  }
}
