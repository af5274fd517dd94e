package org.loranative.cli;

import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.util.concurrent.Callable;
import org.loranative.StoppedException;
import org.loranative.UserException;
import org.loranative.track.Console;
import org.loranative.track.RunLog;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code lora-native}: exit code 0 done, 1 a failure of ours, 2 input to be mended. */
@Command(
    name = "lora-native",
    description = "Trains LoRA adapters for language models and image models, from one jar.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      InitCommand.class,
      TrainCommand.class,
      TuneCommand.class,
      SweepCommand.class,
      RunsCommand.class,
      GenerateCommand.class,
      ServeCommand.class,
      SampleCommand.class,
      ExportCommand.class,
      MergeCommand.class,
      CombineCommand.class,
      ResizeCommand.class,
      ExtractCommand.class,
      VerifyCommand.class,
      EvaluateCommand.class,
      ConfigCommand.class,
      DataCommand.class,
      LabelCommand.class,
      PlanCommand.class,
      DoctorCommand.class,
      BoardCommand.class,
      InspectCommand.class,
      DevicesCommand.class,
      DemoCommand.class,
      CompletionCommand.class,
      CommandLine.HelpCommand.class
    },
    footer = {
      "",
      "Start with: lora-native demo",
      "Then: lora-native train --config my-run.yaml   (lora-native config lists the keys)",
      "Exit codes: 0 done, 1 a failure inside lora-native, 2 input that must be mended, 130"
          + " stopped."
    })
public final class Main implements Callable<Integer> {
  /** As a shell calls the end of a process by Ctrl-C. */
  private static final int STOPPED = 130;

  @Option(
      names = "--debug",
      description = "Show the stack trace of an error.",
      scope = ScopeType.INHERIT)
  private boolean debug;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return 2;
  }

  /** Version of the jar. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"lora-native " + (version == null ? "(unpackaged)" : version)};
    }
  }

  /** The terminal that commands and log lines share. */
  static final Console CONSOLE = Terminal.open();

  public static void main(String[] args) {
    try {
      Terminal.requireWhole(args);
    } catch (UserException e) {
      System.err.println("lora-native: " + e.getMessage());
      System.exit(2);
    }
    RunLog.toConsole(CONSOLE);
    System.exit(run(args));
  }

  /** Runs a command line; returns its exit code. */
  static int run(String... args) {
    Main main = new Main();
    return new CommandLine(main)
        .setExecutionExceptionHandler((e, line, parsed) -> report(e, line, main.debug))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpWidth(100)
        .execute(args);
  }

  private static int report(Exception e, CommandLine line, boolean debug) {
    PrintWriter err = line.getErr();
    if (e instanceof StoppedException) {
      err.println(line.getCommandName() + ": " + e.getMessage());
      return STOPPED;
    }
    boolean badName = e instanceof InvalidPathException;
    boolean usersToMend = badName || e instanceof UserException;
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    if (badName) {
      message = "a file's name cannot be read (" + message + "). " + Terminal.advice();
    }
    err.println(
        line.getCommandName()
            + ": "
            + (usersToMend ? message : "internal error: " + message + " (--debug shows where)"));
    if (debug) {
      e.printStackTrace(err);
    }
    err.flush();
    return usersToMend ? 2 : 1;
  }

  /** The script for a shell's completion. */
  static String completionScript() {
    return AutoComplete.bash("lora-native", new CommandLine(new Main()));
  }
}
