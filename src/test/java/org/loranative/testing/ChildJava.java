package org.loranative.testing;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a test starts a process of its own: this Java, on this class path. */
public final class ChildJava {
  /**
   * For a short life: what the second compiler and a parallel collector cost is not earned back.
   * Code fresh from javac need not be verified as code from anywhere is: that takes a fifth of a
   * child's time.
   */
  public static final List<String> SHORT_LIFE =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:-BytecodeVerificationRemote");

  private ChildJava() {}

  public static String program() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** The command line of {@code main} with {@code options} of Java's own. */
  public static List<String> command(List<String> options, String main, String... arguments) {
    List<String> command = new ArrayList<>(List.of(program(), "-ea"));
    command.addAll(SHORT_LIFE);
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    command.addAll(List.of(arguments));
    return command;
  }
}
