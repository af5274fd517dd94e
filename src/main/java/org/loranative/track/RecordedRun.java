package org.loranative.track;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Value;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.loranative.track.proto.Event;
import org.loranative.track.proto.HParamsPluginData;
import org.loranative.track.proto.SessionEndInfo;
import org.loranative.track.proto.SessionLog;
import org.loranative.track.proto.Summary;
import org.loranative.track.proto.TensorProto;

/**
 * What the event files of a folder hold, those of other tools too: curves, texts, pictures,
 * settings. {@link #refresh} reads on; all methods may be called from any thread.
 */
public final class RecordedRun {
  private static final int DT_FLOAT = 1;
  private static final int DT_DOUBLE = 2;

  private final Path folder;
  private final Optional<Path> only;
  private final List<Path> beside;
  private final Map<Path, EventReader> readers = new LinkedHashMap<>();
  private final Map<String, Scalars> scalars = new TreeMap<>();
  private final Map<String, List<Text>> texts = new TreeMap<>();
  private final Map<String, List<ImageAt>> images = new TreeMap<>();
  private long events;
  private final Map<String, String> settings = new LinkedHashMap<>();
  private long reached;
  private boolean complete;
  private SessionClock clock = new SessionClock();
  private Optional<Boolean> ended = Optional.empty();
  private long rewinds;

  /** A text at a step. */
  public record Text(long step, String text) {}

  /** Where a picture lies: its event's data in a file. */
  public record ImageAt(long step, double wall, Path file, long offset, int length) {}

  /**
   * @param place a folder that holds event files, or one of them
   */
  public RecordedRun(Path place) {
    this(place, List.of());
  }

  /**
   * @param beside folders whose event files are the run's too
   */
  public RecordedRun(Path place, List<Path> beside) {
    this.beside = List.copyOf(beside);
    boolean isFile = Files.isRegularFile(place);
    Path parent = place.toAbsolutePath().getParent();
    folder = isFile ? parent : place;
    only = isFile ? Optional.of(place) : Optional.empty();
  }

  /** Whether a file's name is one of an event file. */
  public static boolean isEventFile(Path file) {
    return file.getFileName().toString().contains("tfevents");
  }

  public Path folder() {
    return folder;
  }

  /**
   * Reads a piece of what is new.
   *
   * @return whether there is more to read now
   */
  public synchronized boolean refresh() throws IOException {
    for (EventReader reader : readers.values()) {
      long before = reader.position();
      boolean more =
          Files.exists(reader.file())
              && reader.read((event, at, length) -> take(event, at, length, reader.file()));
      if (reader.isReplaced()) {
        forget();
        return true;
      }
      if (more && reader.position() > before) {
        return true;
      }
    }
    Optional<Path> next = nextFile();
    next.ifPresent(file -> readers.put(file, new EventReader(file)));
    complete = next.isEmpty();
    return next.isPresent();
  }

  /** Begins anew: what was read of a file is no longer in it. */
  private void forget() {
    readers.clear();
    scalars.clear();
    texts.clear();
    images.clear();
    settings.clear();
    reached = 0;
    complete = false;
    clock = new SessionClock();
    ended = Optional.empty();
    rewinds++;
  }

  /**
   * The file to read after those that are read: the first by name, unless it goes on from a step
   * that nothing before it has reached and another does not, as where the clock was set back.
   */
  private Optional<Path> nextFile() throws IOException {
    List<Path> left = files().stream().filter(f -> !readers.containsKey(f)).toList();
    if (left.size() > 1) {
      for (Path file : left) {
        if (EventReader.opening(file) <= reached + 1) {
          return Optional.of(file);
        }
      }
    }
    return left.stream().findFirst();
  }

  /** Reads everything there is. */
  public RecordedRun readAll() {
    try {
      while (refresh()) {
        // a piece at a time
      }
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Path> files() throws IOException {
    if (only.isPresent()) {
      return List.of(only.get());
    }
    List<Path> all = new ArrayList<>(files(folder));
    for (Path other : beside) {
      all.addAll(files(other));
    }
    return all;
  }

  private static List<Path> files(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(RecordedRun::isEventFile).filter(Files::isRegularFile).sorted().toList();
    }
  }

  /** Whether everything that was there has been read. */
  public synchronized boolean isComplete() {
    return complete;
  }

  /** Bytes read, and bytes there are. */
  public synchronized long[] progress() throws IOException {
    long read = 0;
    long all = 0;
    for (Path file : files()) {
      EventReader reader = readers.get(file);
      read += reader == null ? 0 : reader.position();
      all += Files.size(file);
    }
    return new long[] {read, all};
  }

  /** What is wrong with its files. */
  public synchronized List<String> damage() {
    List<String> all = new ArrayList<>();
    readers.forEach(
        (file, reader) -> reader.damage().ifPresent(d -> all.add(file.getFileName() + ": " + d)));
    return all;
  }

  private void take(Event event, long offset, int length, Path file) {
    events++;
    if (event.getWallTime() > 0) {
      if (event.hasFileVersion()) {
        clock.begin(event.getWallTime());
        ended = Optional.empty();
      }
      clock.seen(event.getWallTime());
    }
    if (event.hasSessionLog()
        && event.getSessionLog().getStatus() == SessionLog.SessionStatus.START) {
      long from = event.getStep();
      reached = Math.min(reached, Math.max(0, from - 1));
      rewinds++;
      scalars.values().forEach(s -> s.dropFrom(from));
      texts.values().forEach(list -> list.removeIf(t -> t.step() >= from));
      texts.values().removeIf(List::isEmpty);
      images.values().forEach(list -> list.removeIf(i -> i.step() >= from));
      images.values().removeIf(List::isEmpty);
    }
    reached = Math.max(reached, event.getStep());
    for (Summary.Value value : event.getSummary().getValueList()) {
      take(event, value, new ImageAt(event.getStep(), event.getWallTime(), file, offset, length));
    }
  }

  private void take(Event event, Summary.Value value, ImageAt place) {
    String tag = value.getTag();
    if (value.getMetadata().getPluginData().getPluginName().equals("hparams")) {
      hyperparameters(value.getMetadata().getPluginData().getContent()); // PyTorch: no value
    } else if (value.hasSimpleValue()) {
      scalar(tag, event, value.getSimpleValue());
    } else if (value.hasImage()) {
      images.computeIfAbsent(tag, t -> new ArrayList<>()).add(place);
    } else if (value.hasTensor()) {
      tensor(event, value);
    }
  }

  private void scalar(String tag, Event event, double value) {
    scalars
        .computeIfAbsent(tag, t -> new Scalars())
        .add(event.getStep(), value, event.getWallTime());
  }

  private void tensor(Event event, Summary.Value value) {
    TensorProto tensor = value.getTensor();
    if (tensor.getStringValCount() > 0) {
      String text = tensor.getStringVal(0).toStringUtf8();
      String tag = value.getTag().replaceFirst("/text_summary$", "");
      texts.computeIfAbsent(tag, t -> new ArrayList<>()).add(new Text(event.getStep(), text));
    } else {
      number(tensor).ifPresent(x -> scalar(value.getTag(), event, x));
    }
  }

  /** A tensor of one number, as TensorFlow 2 writes scalars. */
  private static Optional<Double> number(TensorProto t) {
    if (t.getTensorShape().getDimList().stream().anyMatch(d -> d.getSize() != 1)) {
      return Optional.empty();
    }
    ByteBuffer content = t.getTensorContent().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    if (t.getDtype() == DT_FLOAT) {
      return t.getFloatValCount() > 0
          ? Optional.of((double) t.getFloatVal(0))
          : content.remaining() == 4 ? Optional.of((double) content.getFloat()) : Optional.empty();
    }
    if (t.getDtype() == DT_DOUBLE) {
      return t.getDoubleValCount() > 0
          ? Optional.of(t.getDoubleVal(0))
          : content.remaining() == 8 ? Optional.of(content.getDouble()) : Optional.empty();
    }
    return Optional.empty();
  }

  private void hyperparameters(ByteString content) {
    try {
      HParamsPluginData data = HParamsPluginData.parseFrom(content);
      if (data.hasSessionEndInfo()) {
        ended =
            Optional.of(
                data.getSessionEndInfo().getStatus() == SessionEndInfo.Status.STATUS_SUCCESS);
      }
      data.getSessionStartInfo().getHparamsMap().forEach((k, v) -> settings.put(k, text(v)));
    } catch (InvalidProtocolBufferException e) {
      // Another version's: a run without settings.
    }
  }

  private static String text(Value v) {
    return switch (v.getKindCase()) {
      case NUMBER_VALUE ->
          v.getNumberValue() == Math.rint(v.getNumberValue()) && Math.abs(v.getNumberValue()) < 1e15
              ? String.valueOf((long) v.getNumberValue())
              : String.valueOf(v.getNumberValue());
      case BOOL_VALUE -> String.valueOf(v.getBoolValue());
      default -> v.getStringValue();
    };
  }

  /** Names of the curves. */
  public synchronized List<String> tags() {
    return List.copyOf(scalars.keySet());
  }

  /** A copy of a curve, empty if there is none. */
  public synchronized Scalars scalars(String tag) {
    Scalars found = scalars.get(tag);
    return found == null ? new Scalars() : found.copy();
  }

  /** Looks at a curve as it stands, without copying it; an empty one if there is none. */
  public synchronized <T> T curve(String tag, Function<Scalars, T> look) {
    return look.apply(scalars.getOrDefault(tag, new Scalars()));
  }

  /** Events read so far, pictures and texts included; it only grows. */
  public synchronized long events() {
    return events;
  }

  /** How often points that were read were dropped again; those before stay as they are else. */
  public synchronized long rewinds() {
    return rewinds;
  }

  /** How its time passed. */
  public synchronized SessionClock clock() {
    return clock.copy();
  }

  /** Whether it ended well; nothing as long as it does not say. */
  public synchronized Optional<Boolean> ended() {
    return ended;
  }

  /** How many points all curves have together. */
  public synchronized long points() {
    return scalars.values().stream().mapToLong(Scalars::size).sum();
  }

  public synchronized Map<String, List<Text>> texts() {
    Map<String, List<Text>> copy = new TreeMap<>();
    texts.forEach((tag, list) -> copy.put(tag, List.copyOf(list)));
    return copy;
  }

  public synchronized Map<String, List<ImageAt>> images() {
    Map<String, List<ImageAt>> copy = new TreeMap<>();
    images.forEach((tag, list) -> copy.put(tag, List.copyOf(list)));
    return copy;
  }

  /** Hyperparameters by name. */
  public synchronized Map<String, String> settings() {
    return new LinkedHashMap<>(settings);
  }

  /** The encoded bytes of a picture (PNG, or what the writer chose). */
  public static byte[] image(ImageAt place, String tag) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(place.length());
    try (FileChannel channel = FileChannel.open(place.file())) {
      while (data.hasRemaining() && channel.read(data, place.offset() + data.position()) >= 0) {
        // until it is full
      }
    }
    Event event = Event.parseFrom(data.array());
    return event.getSummary().getValueList().stream()
        .filter(v -> v.getTag().equals(tag) && v.hasImage())
        .findFirst()
        .map(v -> v.getImage().getEncodedImageString().toByteArray())
        .orElse(new byte[0]);
  }
}
