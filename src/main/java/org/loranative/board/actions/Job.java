package org.loranative.board.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.track.RunPlaces;
import org.loranative.track.RunStatus;

/** A run that was started from the page, or waits to be. */
final class Job {
  static final String WAITING = "waiting";
  static final String RUNNING = "running";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TAIL = 4000;

  final long id;
  final String title;
  final List<String> arguments;
  final Path run;
  final Path directory;
  final Path output;
  String state = WAITING;
  int exit;
  private long pid;
  private long processStart;

  /**
   * @param arguments of {@code lora-native}
   * @param run the folder that it trains into
   * @param directory that it starts in: what its settings name without a leading slash lies there
   * @param output takes what it prints
   */
  Job(long id, String title, List<String> arguments, Path run, Path directory, Path output) {
    this.id = id;
    this.title = title;
    this.arguments = List.copyOf(arguments);
    this.run = run;
    this.directory = directory;
    this.output = output;
  }

  /** As {@link #toJson} wrote it, its output in {@code folder}. */
  static Job of(JsonNode node, Path folder) {
    List<String> arguments = new ArrayList<>();
    node.path("arguments").forEach(a -> arguments.add(a.asText()));
    long id = node.path("id").asLong();
    Path run = Path.of(node.path("run").asText());
    Path directory = Path.of(node.path("directory").asText());
    String title = node.path("title").asText();
    Job job = new Job(id, title, arguments, run, directory, output(folder, id));
    job.state = node.path("state").asText(WAITING);
    job.exit = node.path("exit").asInt();
    job.pid = node.path("pid").asLong();
    job.processStart = node.path("process_start").asLong();
    return job;
  }

  static Path output(Path folder, long id) {
    return folder.resolve(id + ".log");
  }

  ObjectNode toJson() {
    ObjectNode node = JSON.createObjectNode().put("id", id).put("title", title);
    arguments.forEach(node.putArray("arguments")::add);
    node.put("run", run.toString()).put("directory", directory.toString());
    node.put("state", state).put("exit", exit);
    return node.put("pid", pid).put("process_start", processStart);
  }

  boolean isOver() {
    return !state.equals(WAITING) && !state.equals(RUNNING);
  }

  void started(ProcessHandle process) {
    state = RUNNING;
    pid = process.pid();
    processStart = start(process);
  }

  /** Its process, if that still runs: numbers of processes are used again. */
  Optional<ProcessHandle> process() {
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .filter(p -> processStart == 0 || start(p) == processStart);
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  /** Exit codes are those of the command line: 130 is a stop that was asked for. */
  void ended(int code) {
    exit = code;
    state = code == 0 ? "finished" : code == 130 ? "stopped" : "failed";
  }

  /** It ended where nobody saw its exit code; the run itself says how, if it could. */
  void endedUnseen() {
    state =
        RunStatus.read(run.resolve(RunPlaces.LOGS))
            .filter(s -> s.pid() == pid)
            .map(RunStatus::state)
            .filter(s -> s == RunStatus.State.FINISHED || s == RunStatus.State.STOPPED)
            .map(s -> s.label)
            .orElse("failed");
  }

  ObjectNode describe() {
    ObjectNode node = JSON.createObjectNode().put("id", id).put("title", title);
    node.put("state", state).put("exit", exit).put("command", String.join(" ", arguments));
    node.put("output", tail());
    return node;
  }

  private String tail() {
    try {
      if (!Files.isRegularFile(output)) {
        return "";
      }
      String all = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
      String clean = all.replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "").replaceAll(".*\r(?!\n)", "");
      return clean.substring(Math.max(0, clean.length() - TAIL)).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
