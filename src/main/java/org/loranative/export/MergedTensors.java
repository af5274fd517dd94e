package org.loranative.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.loranative.StoppedException;
import org.loranative.Stopping;
import org.loranative.UserException;
import org.loranative.export.blocks.Encoder;
import org.loranative.export.blocks.Encoders;
import org.loranative.graph.NotFinite;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Part;
import org.loranative.model.weights.Order;
import org.loranative.model.weights.Reading;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;

/**
 * A base's tensors with adapters merged in, made some rows at a time while they are written. What
 * no adapter changes and no other type is wanted of is copied byte by byte.
 */
public final class MergedTensors implements AutoCloseable {
  /** Numbers that are in memory at once. */
  private static final int PIECE = 1 << 22;

  /**
   * An adapted weight, or a matrix of those that it is made of: a tensor of a file, or consecutive
   * rows of one.
   */
  private record Patch(Weights.Rows rows, AdaptedLayer layer) {
    Reading reading() {
      return rows.reading();
    }
  }

  private final Map<Path, TreeMap<Long, Patch>> patches = new HashMap<>();
  private final StoredRows rows;

  /**
   * @param layers by path, as {@link org.loranative.lora.Mix} gives them
   */
  public MergedTensors(Weights weights, Map<String, AdaptedLayer> layers) {
    layers.forEach(
        (path, layer) -> {
          for (Weights.Rows rows : weights.rowsOf(path + ".weight")) {
            TensorEntry entry = rows.reading().entry();
            patches
                .computeIfAbsent(entry.file(), f -> new TreeMap<>())
                .put(entry.offset(), new Patch(rows, layer));
          }
        });
    rows = weights.rows();
  }

  /**
   * Refuses adapters of what lies elsewhere.
   *
   * @param written the base's file or folder, which alone is written
   */
  void requireWithin(Path written) {
    for (Path file : patches.keySet()) {
      if (!file.toAbsolutePath().startsWith(written.toAbsolutePath())) {
        throw new UserException(
            String.format(
                "The adapter changes layers in %s, but only %s is merged and written. Leave them"
                    + " out, or use the adapter as it is.",
                file, written));
      }
    }
  }

  /**
   * The tensor as it is to be written.
   *
   * @param entry as its file has it
   * @param type to be written, none to copy it
   * @param form order of rows and what is added, where another format wants another
   */
  TensorStream stream(TensorEntry entry, String name, Optional<DType> type, Form form) {
    List<Patch> here = patchesOf(entry);
    if (type.isEmpty()
        || here.isEmpty() && entry.type().equals(type.get().name()) && form.isPlain()) {
      return new TensorStream(
          name, entry.type(), entry.shape(), entry.bytes(), out -> StoredRows.copy(entry, out));
    }
    DType written = Encoders.of(type.get()).isPresent() ? type.get() : TypeChoice.PLAIN;
    List<Long> shape = new ArrayList<>(entry.shape());
    grown(entry, here).ifPresent(layer -> shape.set(0, layer.target().out()));
    long elements = shape.stream().mapToLong(n -> n).reduce(1, Math::multiplyExact);
    return new TensorStream(
        name,
        written.name(),
        shape,
        written.bytes(elements),
        out -> {
          write(entry, here, written, form, out);
          writeNewRows(entry, here, written, out);
        });
  }

  /** What stands in place of a whole tensor and has more rows than it. */
  private static Optional<AdaptedLayer> grown(TensorEntry entry, List<Patch> here) {
    return here.stream()
        .map(Patch::layer)
        .filter(layer -> layer.method().replaces() && layer.target().out() > entry.rows())
        .findFirst();
  }

  private static void writeNewRows(
      TensorEntry entry, List<Patch> here, DType type, OutputStream out) throws IOException {
    Optional<AdaptedLayer> grown = grown(entry, here);
    if (grown.isEmpty()) {
      return;
    }
    float[] row = new float[Math.toIntExact(entry.columns())];
    byte[] bytes = new byte[Math.toIntExact(type.bytes(row.length))];
    for (long i = entry.rows(); i < grown.get().target().out(); i++) {
      grown.get().method().merge(grown.get(), Math.toIntExact(i), row);
      Encoders.of(type)
          .orElseThrow()
          .encode(row, 0, row.length, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
      out.write(bytes);
    }
  }

  private List<Patch> patchesOf(TensorEntry entry) {
    TreeMap<Long, Patch> inFile = patches.get(entry.file());
    return inFile == null
        ? List.of()
        : new ArrayList<>(
            inFile.subMap(entry.offset(), entry.offset() + Math.max(1, entry.bytes())).values());
  }

  private void write(TensorEntry entry, List<Patch> here, DType type, Form form, OutputStream out)
      throws IOException {
    int columns = Math.toIntExact(entry.columns());
    long all = entry.rows();
    Encoder encoder = Encoders.of(type).orElseThrow();
    int rowBytes = Math.toIntExact(type.bytes(columns));
    // Of a matrix with its sides exchanged, rows are our columns: all at once.
    long whole =
        here.stream()
            .filter(p -> p.reading().transposed())
            .mapToLong(p -> p.reading().entry().rows())
            .findFirst()
            .orElse(Math.max(1, PIECE / columns));
    for (long first = 0; first < all; ) {
      int count = Math.toIntExact(Math.min(all - first, whole));
      if (Stopping.isAsked()) {
        throw new StoppedException("Stopped while " + entry.name() + " was written.");
      }
      long start = first;
      float[] x = read(entry, start, count, columns, form);
      requireFinite(entry, x);
      long begin = entry.offset() + first * (entry.bytes() / all);
      here.stream()
          .filter(p -> p.reading().transposed() && p.reading().entry().offset() == begin)
          .forEach(p -> mergeWhole(p, x));
      byte[] bytes = new byte[Math.multiplyExact(count, rowBytes)];
      IntStream.range(0, count)
          .parallel()
          .forEach(
              i -> {
                float[] row = new float[columns];
                System.arraycopy(x, i * columns, row, 0, columns);
                merge(entry, here, form.rows().inFile(start + i), row);
                encoder.encode(
                    form.written(row),
                    0,
                    columns,
                    ByteBuffer.wrap(bytes, i * rowBytes, rowBytes).order(ByteOrder.LITTLE_ENDIAN));
              });
      out.write(bytes);
      first += count;
    }
    rows.done(entry);
  }

  /** Refuses numbers of a base's tensor that are none. */
  static void requireFinite(TensorEntry entry, float[] x) {
    if (!NotFinite.areFinite(x)) {
      throw new UserException(
          String.format(
              "%s: %s holds NaN or infinite numbers; get the file again, or take another base.",
              entry.file(), entry.name()));
    }
  }

  private float[] read(TensorEntry entry, long first, int count, int columns, Form form) {
    float[] x = new float[Math.multiplyExact(count, columns)];
    if (form.rows().isSame()) {
      rows.read(entry, first, count, x);
      return x;
    }
    float[] row = new float[columns];
    for (int i = 0; i < count; i++) {
      rows.read(entry, form.rows().inFile(first + i), 1, row);
      System.arraycopy(row, 0, x, i * columns, columns);
    }
    return x;
  }

  /** Merges into a row of the file what adapts it. */
  private static void merge(TensorEntry entry, List<Patch> here, long fileRow, float[] row) {
    for (Patch patch : here) {
      if (patch.reading().transposed()) {
        continue; // merged as a whole
      }
      TensorEntry own = patch.reading().entry();
      long rowBytes = own.bytes() / own.rows();
      long inOwn = fileRow - (own.offset() - entry.offset()) / rowBytes;
      if (inOwn < 0 || inOwn >= own.rows()) {
        continue;
      }
      int taps = patch.layer().target().kernel() * patch.layer().target().kernel();
      Order columns = patch.reading().columns();
      float[] inMemory = Part.transposed(columns.inOrder(row), row.length / taps, taps);
      patch
          .layer()
          .method()
          .merge(patch.layer(), patch.rows().of(patch.reading().rows().ours(inOwn)), inMemory);
      float[] inFile = columns.back().inOrder(Part.transposed(inMemory, taps, row.length / taps));
      System.arraycopy(inFile, 0, row, 0, row.length);
    }
  }

  /** Merges into a matrix that its file has with its sides exchanged. */
  private static void mergeWhole(Patch patch, float[] x) {
    int out = Math.toIntExact(patch.reading().entry().columns());
    int in = x.length / out;
    float[] ours = Part.transposed(x, in, out);
    for (int row = 0; row < out; row++) {
      float[] weights = Arrays.copyOfRange(ours, row * in, (row + 1) * in);
      patch.layer().method().merge(patch.layer(), patch.rows().of(row), weights);
      System.arraycopy(weights, 0, ours, row * in, in);
    }
    System.arraycopy(Part.transposed(ours, out, in), 0, x, 0, x.length);
  }

  @Override
  public void close() {
    rows.close();
  }
}
