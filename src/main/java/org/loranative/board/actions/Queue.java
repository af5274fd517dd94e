package org.loranative.board.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.board.http.Refused;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs that wait, one after the other: each a child process of the same jar, which lives on where
 * the board ends (Ctrl-C in their terminal reaches both). The next board on the same folder goes on
 * with what waits. Files of it lie in {@code .board} below the first folder of runs.
 */
final class Queue implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Queue.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MAIN = "org.loranative.cli.Main";

  /** Jobs that are over and still named. */
  private static final int MOST_OVER = 30;

  private final Path folder;
  private final QueueFile file;
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
    folder = root.toAbsolutePath().normalize().resolve(".board");
    file = new QueueFile(folder);
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
    String path =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toAbsolutePath().toString())
            .collect(Collectors.joining(File.pathSeparator));
    all.addAll(List.of("-cp", path, MAIN));
    all.addAll(arguments);
    return new ProcessBuilder(all);
  }

  /** Goes on with what an earlier board left, unless another one does. */
  synchronized void takeUp() {
    if (file.exists() && !closed && !file.isMine()) {
      take();
    }
  }

  /** Whether this board keeps the queue, from now on if none did. */
  private boolean take() {
    if (file.isMine()) {
      return true;
    }
    try {
      if (!file.take()) {
        return false;
      }
    } catch (IOException e) {
      throw new Refused(409, folder + " cannot be written (" + e.getMessage() + ").");
    }
    jobs.addAll(file.read());
    jobs.forEach(j -> last = Math.max(last, j.id));
    jobs.stream().filter(j -> j.state.equals(Job.RUNNING)).forEach(this::follow);
    long waiting = jobs.stream().filter(j -> j.state.equals(Job.WAITING)).count();
    if (waiting > 0) {
      log.info("{}: the queue is taken up again, {} waiting.", folder.getParent(), waiting);
    }
    next();
    return true;
  }

  /** One that an earlier board started. */
  private void follow(Job job) {
    job.process()
        .ifPresentOrElse(
            p -> {
              var unused = p.onExit().thenRun(() -> over(job::endedUnseen));
            },
            job::endedUnseen);
  }

  private void requireMine() {
    if (!take()) {
      throw new Refused(
          409, "Another board keeps the queue of " + folder.getParent() + "; ask there.");
    }
  }

  /** A file for what a new job reads. */
  synchronized Path file(String name, String content) throws IOException {
    requireMine();
    Path made = folder.resolve(++last + "-" + name);
    org.loranative.io.AtomicFiles.writeString(made, content);
    return made;
  }

  /**
   * Adds a run to the end, which begins when those before it are over.
   *
   * @param run the folder that it trains into
   */
  synchronized Job add(String title, Path run, List<String> arguments) {
    requireMine();
    Path to = run.toAbsolutePath().normalize();
    if (jobs.stream().anyMatch(j -> !j.isOver() && j.run.equals(to))) {
      throw new Refused(409, title + " is in the queue already.");
    }
    long id = ++last;
    Path here = Path.of("").toAbsolutePath();
    Job job = new Job(id, title, arguments, to, here, Job.output(folder, id));
    jobs.add(job);
    next();
    return job;
  }

  /** Takes a waiting run out. */
  synchronized void cancel(long id) {
    requireMine();
    Job job = find(id);
    if (!job.state.equals(Job.WAITING)) {
      throw new Refused(409, job.title + " is " + job.state + "; only what waits can be taken out");
    }
    job.state = "cancelled";
    told();
  }

  private Job find(long id) {
    return jobs.stream()
        .filter(j -> j.id == id)
        .findFirst()
        .orElseThrow(() -> Refused.notThere("there is no such job"));
  }

  /** All of it; another board's as it stands on disk. */
  synchronized JsonNode describe() {
    ArrayNode all = JSON.createArrayNode();
    List<Job> these = file.isMine() ? jobs : file.read();
    these.forEach(j -> all.add(j.describe()));
    return all;
  }

  private void next() {
    boolean busy = jobs.stream().anyMatch(j -> j.state.equals(Job.RUNNING));
    if (!closed && !busy) {
      jobs.stream().filter(j -> j.state.equals(Job.WAITING)).findFirst().ifPresent(this::start);
    }
    told();
  }

  private void start(Job job) {
    try {
      Files.createDirectories(folder);
      Process process =
          command
              .apply(job.arguments)
              .directory(job.directory.toFile())
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(job.output.toFile())
              .start();
      job.started(process.toHandle());
      var unused = process.onExit().thenAccept(p -> over(() -> job.ended(p.exitValue())));
    } catch (IOException e) {
      log.warn("{} could not be started: {}", job.title, e.getMessage());
      job.ended(-1);
      next();
    }
  }

  private synchronized void over(Runnable end) {
    if (!closed) { // else the next board sees to it
      end.run();
      next();
    }
  }

  /** Keeps it on disk, and tells the page. */
  private void told() {
    for (int over = (int) jobs.stream().filter(Job::isOver).count(); over > MOST_OVER; over--) {
      jobs.remove(jobs.stream().filter(Job::isOver).findFirst().orElseThrow());
    }
    file.write(jobs);
    changed.run();
  }

  @Override
  public synchronized void close() {
    closed = true;
    file.close();
  }
}
