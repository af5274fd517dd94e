package org.loranative.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.loranative.StoppedException;
import org.loranative.Stopping;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.LoraOps;
import org.loranative.device.MappedFile;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.NotFinite;
import org.loranative.graph.Planner;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;
import org.loranative.track.Phase;

/**
 * A checkpoint's frozen tensors under Hugging Face's names: their shapes before loading, and how
 * each is read (dequantized, its rows put in order, an offset added).
 */
public final class Weights {
  /** Numbers that are converted at once: whole blocks of every type. */
  static final long PIECE = 1 << 23;

  /**
   * @param interleavedHeads heads whose two rotary halves stand interleaved in the file; 0 for rows
   *     in order
   * @param offset added to every element
   * @param transposed whether the file has it with its two sides exchanged
   */
  record Reading(TensorEntry entry, int interleavedHeads, float offset, boolean transposed) {}

  private final String source;
  private final UnaryOperator<String> fileName;
  private final Map<String, Reading> readings = new HashMap<>();
  private final Map<String, TensorEntry> entries;
  private final Map<String, Nf4Tensor> nf4;
  private Quantize quantize = Quantize.NONE;
  private Predicate<String> quantized = name -> false;

  /**
   * @param source for messages
   * @param entries the file's tensors by the file's names
   * @param fileName Hugging Face's name to the file's
   */
  public Weights(String source, Map<String, TensorEntry> entries, UnaryOperator<String> fileName) {
    this.source = source;
    this.nf4 = Nf4Tensor.find(entries);
    this.entries = new HashMap<>(entries);
    nf4.forEach((name, tensor) -> this.entries.put(name, tensor.entry()));
    this.fileName = fileName;
  }

  /** Says how the matrices that {@code which} names are held; others are in the compute dtype. */
  public void quantize(Quantize how, Predicate<String> which) {
    quantize = how;
    quantized = which;
  }

  /** The dtype that {@code name} is held in where a model computes in {@code compute}. */
  public DType matrixType(String name, DType compute) {
    Reading r = reading(name);
    if (quantize == Quantize.NONE || !quantized.test(name) || r.transposed() || r.offset() != 0) {
      return compute;
    }
    Shape shape = shape(name);
    DType stored = DType.named(r.entry().type()).orElseThrow();
    DType held = quantize == Quantize.NF4 ? DType.NF4 : stored;
    boolean fits =
        shape.size() > 0
            && !isConvolution(r.entry())
            && held.isBlocks()
            && shape.last() % held.elementsPerBlock == 0
            && (stored != DType.NF4 || r.interleavedHeads() == 0);
    return fits ? held : compute;
  }

  public boolean has(String name) {
    return entries.containsKey(fileName.apply(name));
  }

  /** The file's description of {@code name}. */
  public TensorEntry entry(String name) {
    TensorEntry entry = entries.get(fileName.apply(name));
    if (entry == null) {
      throw new UserException(
          source + " lacks the tensor " + fileName.apply(name) + "; the file may be incomplete.");
    }
    if (DType.named(entry.type()).isEmpty() || List.of("I32", "U8").contains(entry.type())) {
      throw new UserException(
          source
              + ": tensor "
              + entry.name()
              + " is stored as "
              + entry.type()
              + ", which is not supported (F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K,"
              + " Q6_K are, and NF4 of bitsandbytes).");
    }
    return entry;
  }

  /** As the file has it; a convolution of one pixel, [O, I, 1, 1], is the matrix [O, I]. */
  public Shape shape(String name) {
    TensorEntry entry = entry(name);
    if (reading(name).transposed()) {
      return Shape.of(entry.shape().get(1), entry.shape().get(0));
    }
    return isConvolution(entry) || entry.shape().size() != 4
        ? new Shape(entry.shape())
        : Shape.of(entry.shape().get(0), entry.shape().get(1));
  }

  /** Whether the file holds [O, I, kernel, kernel], which is read as [O, kernel, kernel, I]. */
  private static boolean isConvolution(TensorEntry entry) {
    return entry.shape().size() == 4 && entry.shape().get(2) * entry.shape().get(3) > 1;
  }

  /** Tensors of the file, by its names, among those that {@code which} means that none reads. */
  public List<String> unread(Map<String, Value> reading, Predicate<String> which) {
    Set<String> read = new HashSet<>();
    reading.keySet().forEach(name -> read.add(fileName.apply(name)));
    return entries.keySet().stream()
        .filter(name -> which.test(name) && !read.contains(name))
        // The pieces of a quantized tensor stand behind its name.
        .filter(name -> read.stream().noneMatch(r -> name.startsWith(r + ".")))
        .sorted()
        .toList();
  }

  /** Says that the rows of {@code name} hold rotary halves interleaved, head by head. */
  public void interleaved(String name, int heads) {
    readings.put(name, new Reading(entry(name), heads, 0, false));
  }

  /** Says that {@code offset} is to be added to every element of {@code name}. */
  public void offset(String name, float offset) {
    readings.put(name, new Reading(entry(name), 0, offset, false));
  }

  /** Says that the file holds the matrix {@code name} with its sides exchanged. */
  public void transposed(String name) {
    readings.put(name, new Reading(entry(name), 0, 0, true));
  }

  private Reading reading(String name) {
    return readings.getOrDefault(name, new Reading(entry(name), 0, 0, false));
  }

  private boolean loads(Value v) {
    return v.kind() == Kind.WEIGHT && has(v.name());
  }

  private static boolean asItLies(Reading r, Value v, Device device) {
    return device.readsHostMemory()
        && r.interleavedHeads() == 0
        && r.offset() == 0
        && !r.transposed()
        && !isConvolution(r.entry())
        && r.entry().type().equals(v.dtype().name())
        && (v.dtype().isBlocks() || r.entry().offset() % v.dtype().bytesPerBlock == 0)
        && v.dtype() != DType.NF4;
  }

  /** Bytes that loading the WEIGHT values of {@code named} will allocate. */
  public long bytesToAllocate(Map<String, Value> named, Device device) {
    return named.values().stream()
        .filter(v -> loads(v))
        .filter(v -> !asItLies(reading(v.name()), v, device))
        .mapToLong(v -> Planner.align(v.bytes()))
        .sum();
  }

  /** Bytes that stay in the mapped file. */
  public long bytesMapped(Map<String, Value> named, Device device) {
    return named.values().stream()
        .filter(v -> loads(v))
        .filter(v -> asItLies(reading(v.name()), v, device))
        .mapToLong(Value::bytes)
        .sum();
  }

  /** The tensors in device memory: one allocation, and mapped files where they lie as needed. */
  public static final class Loaded implements AutoCloseable {
    private final Map<String, Long> addresses = new HashMap<>();
    private final Map<Path, MappedFile> files = new LinkedHashMap<>();
    private final Memory memory;

    private Loaded(Memory memory) {
      this.memory = memory;
    }

    /** Whether {@code v} was loaded. */
    public boolean holds(Value v) {
      return addresses.containsKey(v.name());
    }

    public long address(Value v) {
      return addresses.get(v.name());
    }

    /**
     * To be called after a graph has run and before its results are used.
     *
     * @throws UserException if a file was cut off meanwhile
     */
    void requireWhole() {
      files.values().forEach(MappedFile::requireWhole);
    }

    /** Unmaps the files that nothing is used of where it lies: their pages would count as ours. */
    private void keepOnly(Set<Path> used) {
      files.entrySet().stream()
          .filter(f -> !used.contains(f.getKey()))
          .map(Map.Entry::getValue)
          .forEach(MappedFile::close);
      files.keySet().retainAll(used);
    }

    @Override
    public void close() {
      memory.close();
      files.values().forEach(MappedFile::close);
    }
  }

  /** The WEIGHT values that graphs name, each once: what to load for all of them. */
  public static Map<String, Value> of(List<Graph> graphs) {
    Map<String, Value> weights = new LinkedHashMap<>();
    for (Graph g : graphs) {
      g.named().values().stream()
          .filter(v -> v.kind() == Kind.WEIGHT)
          .forEach(v -> weights.putIfAbsent(v.name(), v));
    }
    return weights;
  }

  /** A hash of what {@code named} would load. */
  public String fingerprint(Map<String, Value> named) {
    Map<String, TensorEntry> read = new TreeMap<>();
    named.values().stream()
        .filter(this::loads)
        .forEach(v -> read.put(v.name(), reading(v.name()).entry()));
    return fingerprint(source, read);
  }

  /** A hash of the whole checkpoint. */
  public String fingerprint() {
    return fingerprint(source, new TreeMap<>(entries));
  }

  /**
   * Names, shapes and the beginning of every tensor, which tells a checkpoint from another without
   * reading all of it.
   */
  private static String fingerprint(String source, Map<String, TensorEntry> tensors) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Map.Entry<String, TensorEntry> t : tensors.entrySet()) {
        TensorEntry entry = t.getValue();
        digest.update((t.getKey() + entry.shape() + entry.type()).getBytes(StandardCharsets.UTF_8));
        try (FileChannel channel = FileChannel.open(entry.file())) {
          ByteBuffer beginning = ByteBuffer.allocate((int) Math.min(1024, entry.bytes()));
          channel.read(beginning, entry.offset());
          digest.update(beginning.flip());
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UserException(source + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The first of the WEIGHT values of {@code named} whose numbers are not all finite, with its
   * file. Reads them all; blocks, whose scales alone could be, are left out.
   */
  public Optional<String> notFinite(Map<String, Value> named) {
    Phase phase = new Phase("tensors searched for NaN", named.size());
    for (Value v : named.values()) {
      phase.next();
      if (loads(v) && List.of("F32", "F16", "BF16").contains(entry(v.name()).type())) {
        TensorEntry entry = entry(v.name());
        if (!isFinite(entry)) {
          return Optional.of(entry.name() + " of " + entry.file());
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isFinite(TensorEntry entry) {
    DType dtype = DType.named(entry.type()).orElseThrow();
    ByteBuffer piece = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(entry.file())) {
      for (long at = 0; at < entry.bytes(); at += piece.capacity()) {
        piece.clear().limit((int) Math.min(piece.capacity(), entry.bytes() - at));
        while (piece.hasRemaining()
            && channel.read(piece, entry.offset() + at + piece.position()) >= 0) {
          // until it is full
        }
        if (!NotFinite.isFinite(piece.flip(), dtype)) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UserException(entry.file() + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Loads every WEIGHT value of {@code named} that the checkpoint holds, each read once. */
  public Loaded load(Map<String, Value> named, Device device) {
    Loaded loaded = new Loaded(device.allocate(bytesToAllocate(named, device)));
    boolean done = false;
    try (BlockLoader blocks = new BlockLoader(device)) {
      long at = loaded.memory.address();
      Set<Path> used = new HashSet<>();
      Phase phase = new Phase("tensors loaded", named.size());
      for (Value v : named.values()) {
        phase.next();
        if (!loads(v)) {
          continue;
        }
        Reading r = reading(v.name());
        MappedFile file = loaded.files.computeIfAbsent(r.entry().file(), MappedFile::new);
        long from = file.address(r.entry().offset(), r.entry().bytes());
        if (asItLies(r, v, device)) {
          loaded.addresses.put(v.name(), from);
          used.add(r.entry().file());
        } else {
          Optional<Nf4Tensor> pieces = Optional.ofNullable(nf4.get(fileName.apply(v.name())));
          if (v.dtype().isBlocks() || pieces.isPresent()) {
            blocks.load(r, from, pieces, v, at);
          } else {
            read(device, r, from, v, at);
          }
          file.release(r.entry().offset(), r.entry().bytes()); // else both copies count as ours
          loaded.addresses.put(v.name(), at);
          at += Planner.align(v.bytes());
        }
      }
      loaded.requireWhole();
      loaded.keepOnly(used);
      done = true;
      return loaded;
    } finally {
      if (!done) {
        loaded.close();
      }
    }
  }

  static void read(Device device, Reading r, long from, Value v, long to) {
    DType stored = DType.named(r.entry().type()).orElseThrow();
    if (r.interleavedHeads() > 0) {
      long columns = v.shape().last();
      inOrder(
          r,
          stored.bytes(columns),
          (ours, file, bytes) ->
              dequantize(
                  device,
                  from + file,
                  stored,
                  to + ours / bytes * v.dtype().bytes(columns),
                  v.dtype(),
                  columns));
      return;
    }
    dequantize(device, from, stored, to, v.dtype(), r.entry().elements());
    if (isConvolution(r.entry())) {
      // Images are NHWC: [O, I, kernel, kernel] becomes [O, kernel, kernel, I].
      long taps = r.entry().shape().get(2) * r.entry().shape().get(3);
      exchange(device, r.entry().shape().get(0), r.entry().shape().get(1), taps, v, to);
    }
    if (r.transposed()) {
      exchange(device, 1, r.entry().shape().get(0), r.entry().shape().get(1), v, to);
    }
    if (r.offset() != 0) {
      assert v.dtype() == DType.F32;
      try (HostBuffer host = new HostBuffer(v.bytes())) {
        device.download(host, to, v.bytes());
        for (int i = 0; i < v.bytes(); i += 4) {
          host.view().putFloat(i, host.view().getFloat(i) + r.offset());
        }
        device.upload(to, host, v.bytes());
      }
    }
  }

  /** Takes a row from where it stands in the file to where it stands in order, in bytes. */
  interface MoveRow {
    void move(long ours, long file, long bytes);
  }

  /**
   * Rotary halves that the file interleaves: its row 2j + s of a head is row s·half + j of ours.
   */
  static void inOrder(Reading r, long rowBytes, MoveRow to) {
    long rows = r.entry().shape().get(0);
    long headRows = rows / r.interleavedHeads();
    for (long row = 0; row < rows; row++) {
      long inHead = row % headRows;
      long fileRow = row - inHead + inHead % (headRows / 2) * 2 + inHead / (headRows / 2);
      to.move(row * rowBytes, fileRow * rowBytes, rowBytes);
    }
  }

  /** Turns [outer, first, second] into [outer, second, first]. */
  private static void exchange(
      Device device, long outer, long first, long second, Value v, long at) {
    int size = v.dtype().bytesPerBlock;
    try (HostBuffer file = new HostBuffer(v.bytes());
        HostBuffer ours = new HostBuffer(v.bytes())) {
      device.download(file, at, v.bytes());
      ByteBuffer from = file.view();
      ByteBuffer to = ours.view();
      for (long o = 0; o < outer; o++) {
        for (long j = 0; j < second; j++) {
          for (long i = 0; i < first; i++) {
            int source = (int) (((o * first + i) * second + j) * size);
            int target = (int) (((o * second + j) * first + i) * size);
            if (size == 4) {
              to.putInt(target, from.getInt(source));
            } else {
              to.putShort(target, from.getShort(source));
            }
          }
        }
      }
      device.upload(at, ours, v.bytes());
    }
  }

  /**
   * Piece by piece, so that the longest tensor can be stopped too.
   *
   * @throws StoppedException if the work is to end
   */
  static void dequantize(
      Device device, long from, DType stored, long to, DType type, long elements) {
    // NF4 keeps its scales behind all of its codes, so it is no row of pieces.
    long piece = stored == DType.NF4 ? elements : Math.min(elements, PIECE);
    for (long at = 0; at < elements; at += piece) {
      if (Stopping.isAsked()) {
        throw new StoppedException("Stopped while the base was loaded; --resume goes on.");
      }
      long n = Math.min(piece, elements - at);
      long source = from + (at == 0 ? 0 : stored.bytes(at));
      long target = to + (at == 0 ? 0 : type.bytes(at));
      device.check(
          LoraOps.ln_dequantize_fwd(
              device.handle(), source, stored.code, target, type.code, 0, 1, n, n));
    }
  }
}
