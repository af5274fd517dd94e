package org.loranative.track;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.loranative.track.proto.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a TensorBoard event file from a thread of its own, at once when it is free. Record: length
 * u64, masked CRC-32C of the length, data, masked CRC-32C of the data. Whole records are appended
 * at once, so a reader of a live file never meets half of one.
 */
public final class EventWriter implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventWriter.class);

  /** Ends the queue. Never written. */
  private static final Event LAST = Event.newBuilder().setStep(Long.MIN_VALUE).build();

  private static final Pattern NAME =
      Pattern.compile("events\\.out\\.tfevents\\.([0-9]{1,18})\\..*");

  private final AppendedFile file;
  private final LinkedBlockingQueue<Event> queue = new LinkedBlockingQueue<>();
  private final Thread thread;

  /**
   * Creates {@code events.out.tfevents.<seconds>.<pid>.lora-native} in {@code folder}. Readers take
   * files in the order of their names, so the seconds are later than those of every file there,
   * whatever the clock says.
   */
  public EventWriter(Path folder) throws IOException {
    Files.createDirectories(folder);
    long second = System.currentTimeMillis() / 1000;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path other : files.toList()) {
        Matcher m = NAME.matcher(other.getFileName().toString());
        second = m.matches() ? Math.max(second, Long.parseLong(m.group(1)) + 1) : second;
      }
    }
    long pid = ProcessHandle.current().pid();
    file =
        new AppendedFile(
            folder.resolve("events.out.tfevents." + second + "." + pid + ".lora-native"));
    append(List.of(event(0).setFileVersion("brain.Event:2").build()));
    thread = new Thread(this::drain, "event-writer");
    thread.setDaemon(true);
    thread.start();
  }

  /** An event of now, to be filled. */
  public static Event.Builder event(long step) {
    return Event.newBuilder().setWallTime(System.currentTimeMillis() / 1e3).setStep(step);
  }

  /** Queues an event; never waits for the disk. */
  public void write(Event event) {
    queue.add(event);
  }

  private void drain() {
    List<Event> batch = new ArrayList<>();
    boolean open = true;
    while (open) {
      batch.clear();
      try {
        batch.add(queue.take());
        queue.drainTo(batch);
        open = !batch.remove(LAST);
        append(batch);
      } catch (InterruptedException e) {
        return; // nobody interrupts this thread; a channel would close if somebody did
      }
    }
  }

  private void append(List<Event> events) {
    int size = events.stream().mapToInt(e -> e.getSerializedSize() + 16).sum();
    ByteBuffer records = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    for (Event event : events) {
      byte[] data = event.toByteArray();
      int start = records.position();
      records.putLong(data.length);
      records.putInt(maskedCrc(records.array(), start, 8));
      records.put(data);
      records.putInt(maskedCrc(data, 0, data.length));
    }
    if (size > 0) {
      file.append(records.array());
    }
  }

  /** TFRecord's mask: rotated right by 15, plus a constant. */
  static int maskedCrc(byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, length);
    int value = (int) crc.getValue();
    return Integer.rotateRight(value, 15) + 0xa282ead8;
  }

  @Override
  public void close() {
    queue.add(LAST);
    try {
      thread.join(10_000);
      file.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      log.warn("The event file cannot be closed: {}", e.getMessage());
    }
  }
}
