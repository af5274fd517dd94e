package org.loranative.board.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.loranative.io.AtomicFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queue on disk, {@code queue.json}, so that the next board goes on with it. One board at a
 * time keeps it: who holds the lock.
 */
final class QueueFile implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(QueueFile.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private FileLock lock;

  QueueFile(Path folder) {
    this.folder = folder;
  }

  boolean exists() {
    return Files.isRegularFile(file());
  }

  private Path file() {
    return folder.resolve("queue.json");
  }

  /** Takes it for this board, until {@link #close}; whether that went. */
  boolean take() throws IOException {
    if (lock == null) {
      Files.createDirectories(folder);
      FileChannel channel =
          FileChannel.open(
              folder.resolve("queue.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        lock = channel.tryLock();
      } catch (OverlappingFileLockException e) { // another board of this process
        log.debug("{}: {}", folder, e.toString());
      }
      if (lock == null) {
        channel.close();
      }
    }
    return lock != null;
  }

  boolean isMine() {
    return lock != null;
  }

  /** What it holds; a damaged one is said to be, and set aside. */
  List<Job> read() {
    List<Job> jobs = new ArrayList<>();
    if (exists()) {
      try {
        for (JsonNode node : JSON.readTree(Files.readAllBytes(file()))) {
          jobs.add(Job.of(node, folder));
        }
      } catch (IOException e) {
        log.warn("{} cannot be read ({}); the queue begins anew.", file(), e.getMessage());
        setAside();
      }
    }
    return jobs;
  }

  private void setAside() {
    Path aside = folder.resolve("queue.json.unreadable");
    try {
      Files.move(file(), aside, StandardCopyOption.REPLACE_EXISTING);
      log.warn("What it held is kept in {}.", aside);
    } catch (IOException e) {
      log.debug("{}: {}", aside, e.getMessage());
    }
  }

  void write(List<Job> jobs) {
    ArrayNode all = JSON.createArrayNode();
    jobs.forEach(j -> all.add(j.toJson()));
    try {
      Files.createDirectories(folder);
      AtomicFiles.writeString(file(), all.toPrettyString() + "\n");
    } catch (IOException e) {
      log.warn("{} cannot be written ({}).", file(), e.getMessage());
    }
  }

  @Override
  public void close() {
    if (lock != null) {
      try {
        lock.channel().close();
      } catch (IOException e) {
        log.debug("{}: {}", folder, e.getMessage());
      }
      lock = null;
    }
  }
}
