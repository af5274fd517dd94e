package org.loranative.track;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.loranative.io.AtomicFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code logs/status.json}: what a run is doing, and which process does it. A run whose process is
 * gone without a word has failed.
 *
 * @param host the machine that the process runs on
 * @param processStart when the process began, in milliseconds since 1970, since numbers of
 *     processes are used again
 * @param total steps of the run
 * @param plannedBytes that it takes
 * @param message why it failed, or ""
 */
public record RunStatus(
    State state,
    long pid,
    String host,
    long processStart,
    long total,
    long plannedBytes,
    String message) {
  public static final String FILE = "status.json";

  private static final Logger log = LoggerFactory.getLogger(RunStatus.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What a run can be doing. */
  public enum State {
    RUNNING("running"),
    FINISHED("finished"),
    STOPPED("stopped"),
    FAILED("failed"),
    /** Another tool's, which does not say. */
    UNKNOWN("ended");

    public final String label;

    State(String label) {
      this.label = label;
    }

    private static State named(String label) {
      for (State s : values()) {
        if (s.label.equals(label)) {
          return s;
        }
      }
      return UNKNOWN;
    }
  }

  /** This process, training. */
  public static RunStatus ofThisProcess(long total, long plannedBytes) {
    ProcessHandle process = ProcessHandle.current();
    return new RunStatus(
        State.RUNNING, process.pid(), thisHost(), start(process), total, plannedBytes, "");
  }

  /** The same run, ended. */
  public RunStatus ended(State how, String why) {
    return new RunStatus(how, pid, host, processStart, total, plannedBytes, why);
  }

  private static String thisHost() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "";
    }
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  /** Writes it into a run's logs; a run that cannot says so and goes on. */
  public void write(Path logs) {
    ObjectNode node = JSON.createObjectNode();
    node.put("state", state.label).put("pid", pid).put("host", host);
    node.put("process_start", processStart).put("total_steps", total);
    node.put("planned_bytes", plannedBytes).put("message", message);
    try {
      AtomicFiles.writeString(logs.resolve(FILE), node.toPrettyString() + "\n");
    } catch (IOException e) {
      log.warn("{} cannot be written ({}).", logs.resolve(FILE), e.getMessage());
    }
  }

  /** What a run's logs say; nothing where they do not. */
  public static Optional<RunStatus> read(Path logs) {
    Path file = logs.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      JsonNode node = JSON.readTree(Files.readAllBytes(file));
      return Optional.of(
          new RunStatus(
              State.named(node.path("state").asText()),
              node.path("pid").asLong(),
              node.path("host").asText(),
              node.path("process_start").asLong(),
              node.path("total_steps").asLong(),
              node.path("planned_bytes").asLong(),
              node.path("message").asText()));
    } catch (IOException e) {
      log.debug("{} cannot be read: {}", file, e.getMessage());
      return Optional.empty();
    }
  }

  /** Whether it is about this machine's processes. */
  public boolean isHere() {
    return host.equals(thisHost());
  }

  /** Whether its process runs on this machine. */
  public boolean isAlive() {
    return isHere()
        && ProcessHandle.of(pid)
            .filter(ProcessHandle::isAlive)
            .filter(p -> processStart == 0 || Math.abs(start(p) - processStart) < 2000)
            .isPresent();
  }
}
