package org.loranative.model.weights;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;

/**
 * How a tensor of a file becomes a weight.
 *
 * @param rows in which order the file has them
 * @param columns likewise; a tensor of one dimension has columns alone
 * @param formula of every number
 * @param transposed whether the file has it with its two sides exchanged
 * @param scale what its numbers are multiplied by
 */
public record Reading(
    TensorEntry entry,
    Order rows,
    Order columns,
    Formula formula,
    boolean transposed,
    Scale scale) {
  /** Unless it is stored in {@link RareBlocks}. */
  DType stored() {
    return DType.named(entry.type()).orElseThrow();
  }

  /** Whether rows of the file are rows of the weight, whose numbers are the file's own. */
  boolean isPlainMatrix() {
    return !transposed && formula.isPlain() && !isConvolution();
  }

  /**
   * The blocks that hold the file's own bits; none of rare ones, whose numbers alone can be held,
   * and of those that columns cannot be put in order by.
   */
  Optional<DType> blocks() {
    if (!isPlainMatrix()) {
      return Optional.empty();
    }
    if (entry.type().equals(DType.F8_E4M3.name())) {
      return Optional.of(DType.FP8).filter(t -> scale.isOneForEach(t.elementsPerBlock));
    }
    return DType.named(entry.type())
        .filter(t -> t.isBlocks() && scale.isNone())
        .filter(t -> columns.keepsBlocks(t.elementsPerBlock));
  }

  /** Whether numbers are made on the host, from rare blocks or by scales. */
  boolean isMadeOnHost() {
    return !scale.isNone() || RareBlocks.named(entry.type()).isPresent();
  }

  /**
   * Numbers of the weight's rows, as they stand in the file but for the rows' order.
   *
   * @param row the first
   */
  void rareRows(RareBlocks type, long row, int count, float[] to) {
    int width = Math.toIntExact(entry.columns());
    if (rows.isSame()) {
      type.read(entry, row * width, count * width, to);
      return;
    }
    float[] one = new float[width];
    for (int i = 0; i < count; i++) {
      type.read(entry, rows.inFile(row + i) * width, width, one);
      System.arraycopy(one, 0, to, i * width, width);
    }
  }

  /** Whether the file holds [O, I, kernel, kernel], which is read as [O, kernel, kernel, I]. */
  boolean isConvolution() {
    return entry.shape().size() == 4 && entry.shape().get(2) * entry.shape().get(3) > 1;
  }

  /** The weight's; a convolution of one pixel, [O, I, 1, 1], is the matrix [O, I]. */
  Shape shape() {
    if (transposed) {
      return Shape.of(entry.shape().get(1), entry.shape().get(0));
    }
    return isConvolution() || entry.shape().size() != 4
        ? new Shape(entry.shape())
        : Shape.of(entry.shape().get(0), entry.shape().get(1));
  }

  /** Whether a device can use the file's bytes where they are mapped. */
  boolean isAsItLies(Value v, Device device) {
    return device.readsHostMemory()
        && rows.isSame()
        && columns.isSame()
        && formula.isPlain()
        && scale.isNone()
        && !transposed
        && !isConvolution()
        && entry.type().equals(v.dtype().name())
        && (v.dtype().isBlocks() || entry.offset() % v.dtype().bytesPerBlock == 0)
        && v.dtype() != DType.NF4;
  }

  /** Takes rows from where they stand in the file to where they stand in order, in bytes. */
  interface MoveRows {
    void move(long ours, long file, long bytes);
  }

  /** Moves all rows, as many at once as stand together. */
  void rowsInOrder(long rowBytes, MoveRows to) {
    long all = entry.shape().get(0);
    for (long row = 0; row < all; ) {
      long count = Math.min(all - row, rows.together(row));
      to.move(row * rowBytes, rows.inFile(row) * rowBytes, count * rowBytes);
      row += count;
    }
  }

  /**
   * Puts the columns of all rows in order.
   *
   * @param type of the numbers in both places, whose blocks the order keeps whole
   */
  void columnsInOrder(ByteBuffer file, ByteBuffer ours, DType type) {
    long width = entry.columns();
    for (long row = 0; row < entry.rows(); row++) {
      for (long column = 0; column < width; ) {
        long count = Math.min(width - column, columns.together(column));
        ours.put(
            at(type, row, column),
            file,
            at(type, row, columns.inFile(column)),
            Math.toIntExact(type.bytes(count)));
        column += count;
      }
    }
  }

  private int at(DType type, long row, long column) {
    return Math.toIntExact(type.bytes(row * entry.columns() + column));
  }
}
