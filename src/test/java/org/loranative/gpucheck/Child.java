package org.loranative.gpucheck;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.loranative.device.CudaDevice;

/**
 * A process of its own: a fault on the card ends it and nothing else, and what it took of the
 * card's memory is measured from outside.
 *
 * @param code exit code, −1 if it was stopped at its limit
 * @param peakBytes the most of the card's memory that was taken while it ran, less what was before
 * @param output the end of what it printed
 */
record Child(int code, double seconds, long peakBytes, String output) {
  private static final int SHOWN = 1500;

  /** Java with this process's class path. */
  static List<String> java(String mainClass, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-ea", "-cp", System.getProperty("java.class.path"), mainClass));
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs {@code command} for at most {@code seconds}. */
  static Child run(List<String> command, double seconds, String driver)
      throws IOException, InterruptedException {
    File log = File.createTempFile("gpu-check", ".log");
    long start = System.nanoTime();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
    builder.environment().put(CudaDevice.EMULATOR, driver);
    boolean stopped;
    long peak;
    Process process;
    try (CardMemory memory = new CardMemory()) {
      process = builder.start();
      stopped = !process.waitFor((long) (seconds * 1000), TimeUnit.MILLISECONDS);
      if (stopped) {
        process.destroyForcibly().waitFor();
      }
      peak = memory.peakBytes();
    }
    double took = (System.nanoTime() - start) / 1e9;
    String output = Files.readString(log.toPath(), StandardCharsets.UTF_8).strip();
    Files.delete(log.toPath());
    String end = output.substring(Math.max(0, output.length() - SHOWN));
    return new Child(stopped ? -1 : process.exitValue(), took, peak, end);
  }

  /** Why it gave no result, if it did not end well. */
  String failure() {
    return code == -1
        ? String.format("stopped after %.0f s", seconds)
        : "exit code " + code + ": " + output.substring(output.lastIndexOf('\n') + 1);
  }
}
