package org.loranative.board.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.loranative.board.http.Refused;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs that wait, one after the other: each a child process of the same jar, which lives on where
 * the board ends (Ctrl-C in their terminal reaches both). Files of it lie in {@code .board} below
 * the first folder of runs.
 */
final class Queue implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Queue.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MAIN = "org.loranative.cli.Main";

  private final Path folder;
  private final Function<List<String>, ProcessBuilder> command;
  private final Runnable changed;
  private final List<Job> jobs = new ArrayList<>();
  private long last;
  private boolean closed;

  /**
   * @param root the folder of runs
   * @param changed is called when a run begins or ends
   */
  Queue(Path root, Runnable changed) {
    this(root, changed, Queue::ourselves);
  }

  Queue(Path root, Runnable changed, Function<List<String>, ProcessBuilder> command) {
    folder = root.resolve(".board");
    this.changed = changed;
    this.command = command;
    last = System.currentTimeMillis();
  }

  /** The same program as this one. */
  private static ProcessBuilder ourselves(List<String> arguments) {
    List<String> all = new ArrayList<>();
    all.add(
        ProcessHandle.current()
            .info()
            .command()
            .orElse(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    all.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN));
    all.addAll(arguments);
    return new ProcessBuilder(all);
  }

  /** A file for what a new job reads. */
  synchronized Path file(String name, String content) throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve(++last + "-" + name);
    org.loranative.io.AtomicFiles.writeString(file, content);
    return file;
  }

  /** Adds a run to the end, which begins when those before it are over. */
  synchronized Job add(String title, List<String> arguments) {
    long id = ++last;
    Job job = new Job(id, title, arguments, folder.resolve(id + ".log"));
    jobs.add(job);
    next();
    return job;
  }

  /** Takes a waiting run out. */
  synchronized void cancel(long id) {
    Job job = find(id);
    if (!job.state.equals("waiting")) {
      throw new Refused(409, job.title + " is " + job.state + "; only what waits can be taken out");
    }
    job.state = "cancelled";
    changed.run();
  }

  private Job find(long id) {
    return jobs.stream()
        .filter(j -> j.id == id)
        .findFirst()
        .orElseThrow(() -> Refused.notThere("there is no such job"));
  }

  synchronized JsonNode describe() {
    ArrayNode all = JSON.createArrayNode();
    jobs.forEach(j -> all.add(j.describe()));
    return all;
  }

  private void next() {
    if (closed || jobs.stream().anyMatch(j -> j.state.equals("running"))) {
      return;
    }
    Optional<Job> job = jobs.stream().filter(j -> j.state.equals("waiting")).findFirst();
    job.ifPresent(this::start);
    changed.run();
  }

  private void start(Job job) {
    try {
      Files.createDirectories(folder);
      job.process =
          command
              .apply(job.arguments)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(job.output.toFile())
              .start();
      job.state = "running";
      var unused = job.process.onExit().thenAccept(p -> ended(job, p.exitValue()));
    } catch (IOException e) {
      log.warn("{} could not be started: {}", job.title, e.getMessage());
      job.state = "failed";
      job.exit = -1;
      next();
    }
  }

  /** Exit codes are those of the command line: 130 is a stop that was asked for. */
  private synchronized void ended(Job job, int exit) {
    job.exit = exit;
    job.state = exit == 0 ? "finished" : exit == 130 ? "stopped" : "failed";
    next();
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}
