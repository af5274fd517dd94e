package org.loranative.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code lora-native completion}. */
@Command(
    name = "completion",
    description = "Print a completion script for bash and zsh: source <(lora-native completion)",
    mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    System.out.print(Main.completionScript());
    return 0;
  }
}
