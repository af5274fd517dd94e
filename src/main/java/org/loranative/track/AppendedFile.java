package org.loranative.track;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Queue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that records are appended to, each whole or not at all. While it cannot be written (a full
 * disk), records wait in memory, the newest {@value #MOST_WAITING} bytes of them.
 */
final class AppendedFile implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AppendedFile.class);

  private static final long MOST_WAITING = 1 << 26;

  private final Path file;
  private final FileChannel channel;
  private final Queue<byte[]> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private long lost;
  private boolean failing;

  /** Opens or creates {@code file}. */
  AppendedFile(Path file) throws IOException {
    this.file = file;
    Files.createDirectories(file.toAbsolutePath().getParent());
    channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    channel.position(channel.size());
  }

  /** Appends a record, after those that wait. */
  void append(byte[] record) {
    waiting.add(record);
    waitingBytes += record.length;
    writeWaiting();
    while (waitingBytes > MOST_WAITING) {
      waitingBytes -= waiting.remove().length;
      lost++;
    }
  }

  private void writeWaiting() {
    try {
      while (!waiting.isEmpty()) {
        write(waiting.peek());
        waitingBytes -= waiting.remove().length;
      }
      if (failing) {
        log.info("{} is written again; {} records of it are lost.", file, lost);
      }
      failing = false;
      lost = 0;
    } catch (IOException e) {
      if (!failing) {
        log.warn(
            "{} cannot be written ({}); training goes on, and its lines wait in memory.",
            file,
            e.getMessage());
      }
      failing = true;
    }
  }

  private void write(byte[] record) throws IOException {
    long start = channel.position();
    try {
      ByteBuffer bytes = ByteBuffer.wrap(record);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      channel.truncate(start); // half a record would hide what follows it
      channel.position(start);
      throw e;
    }
  }

  /** Drops all from {@code position} on. */
  void cut(long position) throws IOException {
    waiting.clear();
    waitingBytes = 0;
    channel.truncate(position);
    channel.position(channel.size());
  }

  @Override
  public void close() throws IOException {
    writeWaiting();
    if (failing) {
      log.warn("{} records of {} could not be written.", lost + waiting.size(), file);
    }
    channel.close();
  }
}
