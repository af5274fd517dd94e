package org.loranative.board.machine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.loranative.board.runs.RunEntry;
import org.loranative.track.RunStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What no event file says: the disk under a run, and what its process takes. */
public final class MachineNow {
  private static final Logger log = LoggerFactory.getLogger(MachineNow.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private MachineNow() {}

  public static JsonNode of(RunEntry run) {
    ObjectNode node = JSON.createObjectNode();
    try {
      FileStore disk = Files.getFileStore(run.place().folder());
      node.put("disk_free", disk.getUsableSpace()).put("disk_total", disk.getTotalSpace());
    } catch (IOException e) {
      log.debug("{}: {}", run.name(), e.getMessage());
    }
    Optional<RunStatus> said = RunStatus.read(run.place().logs());
    said.ifPresent(s -> node.put("planned_bytes", s.plannedBytes()));
    if (said.isPresent() && run.state() == RunStatus.State.RUNNING && said.get().isAlive()) {
      node.put("pid", said.get().pid());
      process(node, said.get().pid());
    }
    return node;
  }

  /** Resident memory as Linux tells it; elsewhere nothing is said. */
  private static void process(ObjectNode node, long pid) {
    Path status = Path.of("/proc", String.valueOf(pid), "status");
    if (!Files.isReadable(status)) {
      return;
    }
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("VmRSS:")) {
          node.put("resident_bytes", kilobytes(line));
        } else if (line.startsWith("VmHWM:")) {
          node.put("most_resident_bytes", kilobytes(line));
        }
      }
    } catch (IOException e) {
      log.debug("process {}: {}", pid, e.getMessage());
    }
  }

  private static long kilobytes(String line) {
    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
  }
}
