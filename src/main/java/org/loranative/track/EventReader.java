package org.loranative.track;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.loranative.track.proto.Event;

/**
 * Reads an event file, whoever wrote it, also while it grows. Every checksum is checked: from a
 * damaged record on, a file is not read any further.
 */
public final class EventReader {
  private static final int CHUNK = 1 << 22;
  private static final int HEADER = 12;
  private static final int FOOTER = 4;

  private static final int MARK = 64;

  /** Larger than any picture; what claims to be more is damaged. */
  private static final long MOST = 1 << 29;

  private final Path file;
  private long position;
  private Optional<String> damage = Optional.empty();

  /** The bytes before {@link #position}: other ones mean another file of the same name. */
  private byte[] before = new byte[0];

  private boolean replaced;

  /** Takes events with the place of their record's data in the file. */
  public interface Sink {
    void accept(Event event, long offset, int length);
  }

  public EventReader(Path file) {
    this.file = file;
  }

  public Path file() {
    return file;
  }

  /** How far it is read, in bytes. */
  public long position() {
    return position;
  }

  /** Whether what was read is no longer there: the file was cut, or another has its name. */
  public boolean isReplaced() {
    return replaced;
  }

  /** What is wrong with the file, if anything. */
  public Optional<String> damage() {
    return damage;
  }

  /**
   * Hands on the records that are whole, at most about four million bytes of them; to be called
   * again until it returns false.
   *
   * @return whether there may be more now
   */
  public boolean read(Sink sink) throws IOException {
    if (damage.isPresent()) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file)) {
      long left = channel.size() - position;
      if (left < 0 || !Arrays.equals(before, before(channel))) {
        replaced = true;
        return false;
      }
      if (left < HEADER) {
        return false;
      }
      ByteBuffer chunk = bytes(channel, (int) Math.min(left, CHUNK));
      long need = HEADER + (long) FOOTER + length(chunk);
      if (damage.isPresent() || need > left) {
        return false; // damaged, or the last record is still being written
      }
      if (need > chunk.remaining()) {
        chunk = bytes(channel, (int) need);
      }
      boolean more = records(chunk, sink);
      before = before(channel);
      return more;
    }
  }

  private byte[] before(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(MARK, position));
    while (bytes.hasRemaining()
        && channel.read(bytes, position - bytes.capacity() + bytes.position()) >= 0) {
      // until it is full
    }
    return bytes.array();
  }

  /**
   * The step that a file begins with: that of its session's start if it says one, else that of its
   * first values; 0 as long as it says neither.
   */
  public static long opening(Path file) throws IOException {
    long[] step = {-1};
    new EventReader(file)
        .read(
            (event, at, length) -> {
              if (step[0] < 0 && (event.hasSessionLog() || event.hasSummary())) {
                step[0] = event.getStep();
              }
            });
    return Math.max(0, step[0]);
  }

  private ByteBuffer bytes(FileChannel channel, int size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) >= 0) {
      // until it is full, or the file was cut
    }
    return bytes.flip();
  }

  /** The length of the record at the buffer's position, 0 if it is damaged. */
  private long length(ByteBuffer chunk) {
    int at = chunk.position();
    long length = chunk.getLong(at);
    int crc = EventWriter.maskedCrc(chunk.array(), at, 8);
    if (crc != chunk.getInt(at + 8) || length < 0 || length > MOST) {
      damage = Optional.of(String.format("damaged at byte %d; the rest is not read", position));
      return 0;
    }
    return length;
  }

  /** Reads the whole records of a chunk that begins with one. */
  private boolean records(ByteBuffer chunk, Sink sink) {
    while (chunk.remaining() >= HEADER) {
      long length = length(chunk);
      if (damage.isPresent()) {
        return false;
      }
      if (chunk.remaining() < HEADER + length + FOOTER) {
        return true;
      }
      int data = chunk.position() + HEADER;
      int n = (int) length;
      if (EventWriter.maskedCrc(chunk.array(), data, n) != chunk.getInt(data + n)) {
        damage = Optional.of(String.format("damaged at byte %d; the rest is not read", position));
        return false;
      }
      try {
        Event event = Event.parser().parseFrom(chunk.array(), data, n);
        sink.accept(event, position + HEADER, n);
      } catch (InvalidProtocolBufferException e) {
        damage = Optional.of(String.format("no event at byte %d; the rest is not read", position));
        return false;
      }
      chunk.position(data + n + FOOTER);
      position += HEADER + length + FOOTER;
    }
    return true;
  }
}
