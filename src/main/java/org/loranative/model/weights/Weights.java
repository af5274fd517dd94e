package org.loranative.model.weights;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Planner;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;
import org.loranative.track.Phase;

/**
 * A checkpoint's frozen tensors under Hugging Face's names: their shapes before loading, and how
 * each is read (dequantized, its rows or columns put in order, an offset added).
 */
public final class Weights {
  private final String source;
  private final UnaryOperator<String> fileName;
  private final Map<String, Reading> readings = new HashMap<>();
  private final Stacks stacks = new Stacks();
  private final Map<String, Integer> grown = new HashMap<>();
  private final Map<String, TensorEntry> entries;
  private final Map<String, Pieces> pieces;
  private final Float8Scales scales;
  private Quantize quantize = Quantize.NONE;
  private Predicate<String> quantized = name -> false;

  /**
   * @param source for messages
   * @param entries the file's tensors by the file's names
   * @param fileName Hugging Face's name to the file's
   */
  public Weights(String source, Map<String, TensorEntry> entries, UnaryOperator<String> fileName) {
    this(source, entries, fileName, Float8Scales.find(entries, 128, 128));
  }

  private Weights(
      String source,
      Map<String, TensorEntry> entries,
      UnaryOperator<String> fileName,
      Float8Scales scales) {
    this.source = source;
    this.pieces = new HashMap<>(Nf4Tensor.find(entries));
    pieces.putAll(PackedMxfp4.find(entries));
    this.scales = scales;
    this.entries = new HashMap<>(entries);
    pieces.forEach((name, tensor) -> this.entries.put(name, tensor.entry()));
    this.fileName = fileName;
  }

  /**
   * Those whose matrices in floats of 8 bits all have scales beside them, as language models do.
   *
   * @param blockRows rows that share a scale, where blocks of a matrix do
   * @param blockColumns columns that do
   */
  public static Weights scaled(
      String source,
      Map<String, TensorEntry> entries,
      UnaryOperator<String> fileName,
      long blockRows,
      long blockColumns) {
    Float8Scales scales = Float8Scales.find(entries, blockRows, blockColumns);
    scales.requireAll(source, entries);
    return new Weights(source, entries, fileName, scales);
  }

  /** Says how the matrices that {@code which} names are held; others are in the compute dtype. */
  public void quantize(Quantize how, Predicate<String> which) {
    quantize = how;
    quantized = which;
  }

  /** The dtype that {@code name} is held in where a model computes in {@code compute}. */
  public DType matrixType(String name, DType compute) {
    if (quantize == Quantize.NONE
        || !quantized.test(name)
        || grown.containsKey(name)
        || !reading(name).isPlainMatrix()) {
      return compute;
    }
    Shape shape = shape(name);
    return (quantize == Quantize.NF4 ? Optional.of(DType.NF4) : keptType(name))
        .filter(held -> shape.size() > 0 && shape.last() % held.elementsPerBlock == 0)
        .orElse(compute);
  }

  /** The blocks that a matrix's own bits can be held in: of a stack, those of all its pieces. */
  private Optional<DType> keptType(String name) {
    List<Optional<DType>> types =
        pieces(name).stream().map(p -> reading(p).blocks()).distinct().toList();
    return types.size() > 1
        ? Optional.empty()
        : types.get(0).filter(t -> t != DType.NF4 || !stacks.has(name)); // it has no place for two
  }

  public boolean has(String name) {
    return stacks.has(name) || entries.containsKey(fileName.apply(name));
  }

  /**
   * Says that {@code name} is the matrices {@code pieces} of one shape, one behind the other. They
   * are put together as they are loaded.
   *
   * @param experts the weight's first dimension: each has as many of the pieces
   */
  public void stack(String name, List<String> pieces, int experts) {
    for (String piece : pieces) {
      if (!shape(piece).equals(shape(pieces.get(0)))) {
        throw new UserException(
            String.format(
                "%s: tensor %s is %s, but %s is %s; they should be alike.",
                source, piece, shape(piece), pieces.get(0), shape(pieces.get(0))));
      }
    }
    Shape piece = shape(pieces.get(0));
    long rows = piece.rows() * pieces.size() / experts;
    stacks.add(name, new Stacks.Stack(pieces, Shape.of(experts, rows, piece.last()), Order.SAME));
  }

  /**
   * Says that {@code name} is of each expert rows of {@code first} and {@code second} in turn, or
   * numbers of these where they are biases.
   */
  public void stackInTurn(String name, String first, String second) {
    Shape half = shape(first);
    List<String> pieces = new ArrayList<>();
    List<String> others = slices(second);
    for (String slice : slices(first)) {
      pieces.add(slice);
      pieces.add(others.get(pieces.size() / 2));
    }
    List<Long> shape = new ArrayList<>(half.dims());
    shape.set(1, 2 * half.dim(1));
    Order order = new Order.Interleaved(2 * half.dim(1)).back();
    stacks.add(name, new Stacks.Stack(pieces, new Shape(shape), order));
  }

  /**
   * Says that {@code name} is the matrices {@code pieces} of as many columns, one behind the other.
   */
  public void stackRows(String name, List<String> pieces) {
    long rows = pieces.stream().mapToLong(piece -> shape(piece).rows()).sum();
    Shape shape = Shape.of(rows, shape(pieces.get(0)).last());
    stacks.add(name, new Stacks.Stack(pieces, shape, Order.SAME));
  }

  /** The name of {@code rows} rows of the matrix {@code name}, as a piece of a stack. */
  public String slice(String name, long first, long rows) {
    return stacks.slice(name, entry(name), first, rows);
  }

  /** Names of the matrices of {@code name} [E, out, in], as pieces of stacks. */
  public List<String> slices(String name) {
    return stacks.slices(name, entry(name));
  }

  /** The tensors of the file that {@code name} is made of. */
  private List<String> pieces(String name) {
    return stacks.pieces(name);
  }

  /**
   * Rows of a weight that a tensor of the file holds, or a part of one.
   *
   * @param first of the rows of all pieces
   * @param order of these
   */
  public record Rows(Reading reading, long first, Order order) {
    /** Which of the weight's rows the tensor's {@code i}-th is, in the order that it is read in. */
    public int of(long i) {
      return Math.toIntExact(order.ours(first + i));
    }

    /** Behind the last of them. */
    public long end() {
      TensorEntry entry = reading.entry();
      return first + (reading.transposed() ? entry.columns() : entry.rows());
    }
  }

  /** Where all rows of {@code name} are. */
  public List<Rows> rowsOf(String name) {
    List<Rows> all = new ArrayList<>();
    long first = 0;
    for (String piece : pieces(name)) {
      Rows rows = new Rows(reading(piece), first, stacks.order(name));
      all.add(rows);
      first = rows.end();
    }
    return all;
  }

  /** Whether the file has {@code name} in pieces that stay as they are where nothing changes it. */
  public boolean isPacked(String name) {
    return inPieces(name).filter(Pieces::stay).isPresent();
  }

  /** The file's description of {@code name}. */
  public TensorEntry entry(String name) {
    String first = pieces(name).get(0);
    String inFile = fileName.apply(first);
    TensorEntry entry = stacks.slice(first).orElseGet(() -> entries.get(inFile));
    if (entry == null) {
      throw new UserException(
          source + " lacks the tensor " + inFile + "; the file may be incomplete.");
    }
    boolean known =
        DType.named(entry.type()).isPresent() || RareBlocks.named(entry.type()).isPresent();
    if (!known || List.of("I32", "U8", "FP8").contains(entry.type())) {
      throw new UserException(
          source
              + ": tensor "
              + entry.name()
              + " is stored as "
              + entry.type()
              + ", which is not supported (F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K,"
              + " Q5_K, Q6_K, Q2_K, Q3_K, IQ4_NL, IQ4_XS, MXFP4, F8_E4M3, F8_E5M2 are, and NF4 of"
              + " bitsandbytes).");
    }
    return entry;
  }

  /** Says that the matrix {@code name} is to have so many rows, more than its file holds. */
  public void grow(String name, int rows) {
    grown.put(name, rows);
  }

  /** As the file has it; a convolution of one pixel, [O, I, 1, 1], is the matrix [O, I]. */
  public Shape shape(String name) {
    if (grown.containsKey(name)) {
      return Shape.of(grown.get(name), reading(name).shape().last());
    }
    return stacks.find(name).map(Stacks.Stack::shape).orElseGet(() -> reading(name).shape());
  }

  /**
   * What merging takes of the file, by its names: tensors as they lie there, quantized ones of
   * several pieces as one unless those stay.
   */
  public Map<String, TensorEntry> stored(Map<String, TensorEntry> file) {
    Map<String, TensorEntry> all = new LinkedHashMap<>();
    file.forEach(
        (name, entry) -> {
          boolean piece = pieces.values().stream().anyMatch(p -> !p.stay() && p.holds(name));
          if (!piece && !scales.isPiece(name)) {
            Optional<Pieces> whole = Optional.ofNullable(pieces.get(name)).filter(p -> !p.stay());
            all.put(name, whole.map(Pieces::entry).orElse(entry));
          }
        });
    return all;
  }

  /** The file's tensors but those of matrices that are packed. */
  public Map<String, TensorEntry> unpacked(Map<String, TensorEntry> file) {
    Map<String, TensorEntry> others = new LinkedHashMap<>(file);
    pieces.forEach(
        (name, p) -> others.keySet().removeIf(n -> p.stay() && (n.equals(name) || p.holds(n))));
    return others;
  }

  /** Whether matrices were quantized that merging widens: to NF4, or to floats of 8 bits. */
  public boolean isQuantized() {
    return pieces.values().stream().anyMatch(p -> !p.stay()) || !scales.isEmpty();
  }

  /** Numbers of the file, some rows at a time. */
  public StoredRows rows() {
    return new StoredRows(pieces, scales);
  }

  /** How a weight is read whose rows are rows of one tensor of the file, whatever their order. */
  Optional<Reading> inRows(String name) {
    return Optional.of(name)
        .filter(n -> !stacks.has(n) && inPieces(n).isEmpty())
        .map(this::reading)
        .filter(r -> !r.transposed() && r.entry().shape().size() == 2);
  }

  /** Tensors of the file, by its names, among those that {@code which} means that none reads. */
  public List<String> unread(Map<String, Value> reading, Predicate<String> which) {
    Set<String> read = new HashSet<>();
    for (String name : reading.keySet()) {
      for (String piece : pieces(name)) {
        read.add(stacks.slice(piece).map(TensorEntry::name).orElseGet(() -> fileName.apply(piece)));
      }
    }
    return entries.keySet().stream()
        .filter(name -> which.test(name) && !read.contains(name) && !scales.isPiece(name))
        .filter(name -> read.stream().noneMatch(r -> isPiece(name, r)))
        .sorted()
        .toList();
  }

  private boolean isPiece(String name, String of) {
    return pieces.containsKey(of) && pieces.get(of).holds(name);
  }

  /**
   * Says in which order the file has {@code name}, and what its numbers are.
   *
   * @param rows their order
   * @param columns their order
   */
  public void ordered(String name, Order rows, Order columns, Formula formula) {
    TensorEntry entry = entry(name);
    readings.put(name, new Reading(entry, rows, columns, formula, false, scales.of(entry)));
  }

  /** Says that {@code offset} is to be added to every element of {@code name}. */
  public void offset(String name, float offset) {
    ordered(name, Order.SAME, Order.SAME, new Formula.Plus(offset));
  }

  /** Says that every element of {@code name} is to be multiplied by {@code scale}. */
  public void scaled(String name, float scale) {
    readings.put(name, plain(entry(name), false, Scale.of(scale)));
  }

  /** Says that the file holds the matrix {@code name} with its sides exchanged. */
  public void transposed(String name) {
    TensorEntry entry = entry(name);
    readings.put(name, plain(entry, true, scales.of(entry)));
  }

  /** How {@code name} is read. */
  public Reading reading(String name) {
    Reading given = readings.get(name);
    if (given != null) {
      return given;
    }
    TensorEntry entry = entry(name);
    return plain(entry, false, scales.of(entry));
  }

  private static Reading plain(TensorEntry entry, boolean transposed, Scale scale) {
    return new Reading(entry, Order.SAME, Order.SAME, Formula.PLAIN, transposed, scale);
  }

  private boolean loads(Value v) {
    return v.kind() == Kind.WEIGHT && has(v.name());
  }

  private Optional<Pieces> inPieces(String name) {
    return Optional.ofNullable(pieces.get(fileName.apply(name)));
  }

  /** Whether a device can use what the file holds where it is mapped. */
  private boolean isAsItLies(Value v, Device device) {
    return !stacks.has(v.name())
        && inPieces(v.name()).isEmpty()
        && !grown.containsKey(v.name())
        && reading(v.name()).isAsItLies(v, device);
  }

  /** Bytes that loading the WEIGHT values of {@code named} will allocate. */
  public long bytesToAllocate(Map<String, Value> named, Device device) {
    return named.values().stream()
        .filter(v -> loads(v))
        .filter(v -> !isAsItLies(v, device))
        .mapToLong(v -> Planner.align(v.bytes()))
        .sum();
  }

  /** Bytes that stay in the mapped file. */
  public long bytesMapped(Map<String, Value> named, Device device) {
    return named.values().stream()
        .filter(v -> loads(v))
        .filter(v -> isAsItLies(v, device))
        .mapToLong(Value::bytes)
        .sum();
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
    TreeMap<String, TensorEntry> read = new TreeMap<>();
    named.values().stream()
        .filter(this::loads)
        .forEach(v -> pieces(v.name()).forEach(p -> read.put(p, reading(p).entry())));
    return StoredNumbers.fingerprint(read);
  }

  /** A hash of the whole checkpoint. */
  public String fingerprint() {
    return StoredNumbers.fingerprint(new TreeMap<>(entries));
  }

  /**
   * The first of the WEIGHT values of {@code named} whose numbers are not all finite, with its
   * file. Reads them all; blocks with scales of their own, which alone could be, are left out.
   */
  public Optional<String> notFinite(Map<String, Value> named) {
    Phase phase = new Phase("tensors searched for NaN", named.size());
    for (Value v : named.values()) {
      phase.next();
      for (String piece : loads(v) ? pieces(v.name()) : List.<String>of()) {
        TensorEntry entry = entry(piece);
        if (!StoredNumbers.areFinite(entry) || !scales.of(entry).isFinite()) {
          return Optional.of(entry.name() + " of " + entry.file());
        }
      }
    }
    phase.end();
    return Optional.empty();
  }

  /** Loads every WEIGHT value of {@code named} that the checkpoint holds, each read once. */
  public LoadedWeights load(Map<String, Value> named, Device device) {
    LoadedWeights loaded = new LoadedWeights(device.allocate(bytesToAllocate(named, device)));
    boolean done = false;
    try (BlockLoader blocks = new BlockLoader(device)) {
      PlainLoader plain = new PlainLoader(device);
      Phase phase = new Phase("tensors loaded", named.size());
      for (Value v : named.values()) {
        phase.next();
        if (!loads(v)) {
          continue;
        }
        Optional<Stacks.Stack> stack = stacks.find(v.name());
        if (stack.isPresent()) {
          List<StackLoader.Piece> parts =
              stack.get().pieces().stream()
                  .map(p -> new StackLoader.Piece(reading(p), inPieces(p)))
                  .toList();
          new StackLoader(loaded, stack.get(), parts).load(blocks, v, loaded.place(v));
          continue;
        }
        Reading r = reading(v.name());
        long from = loaded.inFile(r.entry());
        if (isAsItLies(v, device)) {
          loaded.keep(v, from, r.entry());
        } else {
          long to = loaded.place(v);
          Optional<Pieces> parts = inPieces(v.name());
          if (v.dtype().isBlocks() || parts.isPresent()) {
            blocks.load(r, from, parts, v, to);
          } else {
            plain.load(r, from, inFile(r, v), to);
          }
          loaded.release(r.entry());
          if (grown.containsKey(v.name())) {
            try (StoredRows rows = rows()) {
              float[] added = NewRows.draw(rows, r.entry(), v.shape().rows());
              plain.put(added, v.dtype(), to + v.dtype().bytes(r.entry().elements()));
            }
          }
        }
      }
      phase.end();
      loaded.finish();
      done = true;
      return loaded;
    } finally {
      if (!done) {
        loaded.close();
      }
    }
  }

  /** What of a weight its file holds. */
  private Value inFile(Reading r, Value v) {
    return grown.containsKey(v.name())
        ? new Value(0, r.shape(), v.dtype(), Kind.WEIGHT, v.name())
        : v;
  }
}
