package org.loranative.model.weights;

import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;

/**
 * How a tensor of a file becomes a weight.
 *
 * @param interleavedHeads heads whose two rotary halves stand interleaved in the file; 0 for rows
 *     in order
 * @param offset added to every element
 * @param transposed whether the file has it with its two sides exchanged
 * @param scale what its numbers are multiplied by
 */
public record Reading(
    TensorEntry entry, int interleavedHeads, float offset, boolean transposed, Scale scale) {
  /** Unless it is stored in {@link RareBlocks}. */
  DType stored() {
    return DType.named(entry.type()).orElseThrow();
  }

  /** Whether rows of the file are rows of the weight, whose numbers are the file's own. */
  boolean isPlainMatrix() {
    return !transposed && offset == 0 && !isConvolution();
  }

  /**
   * The blocks that hold the file's own bits; none of rare ones, whose numbers alone can be held.
   */
  Optional<DType> blocks() {
    if (!isPlainMatrix()) {
      return Optional.empty();
    }
    if (entry.type().equals(DType.F8_E4M3.name())) {
      return Optional.of(DType.FP8).filter(t -> scale.isOneForEach(t.elementsPerBlock));
    }
    return DType.named(entry.type()).filter(t -> t.isBlocks() && scale.isNone());
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
  void rareRows(RareBlocks type, long row, int rows, float[] to) {
    int columns = Math.toIntExact(entry.columns());
    if (interleavedHeads == 0) {
      type.read(entry, row * columns, rows * columns, to);
      return;
    }
    float[] one = new float[columns];
    for (int i = 0; i < rows; i++) {
      type.read(entry, fileRow(row + i) * columns, columns, one);
      System.arraycopy(one, 0, to, i * columns, columns);
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
        && interleavedHeads == 0
        && offset == 0
        && scale.isNone()
        && !transposed
        && !isConvolution()
        && entry.type().equals(v.dtype().name())
        && (v.dtype().isBlocks() || entry.offset() % v.dtype().bytesPerBlock == 0)
        && v.dtype() != DType.NF4;
  }

  /** Takes a row from where it stands in the file to where it stands in order, in bytes. */
  interface MoveRow {
    void move(long ours, long file, long bytes);
  }

  /**
   * Rotary halves that the file interleaves: its row 2j + s of a head is row s·half + j of ours.
   */
  void inOrder(long rowBytes, MoveRow to) {
    for (long row = 0; row < entry.shape().get(0); row++) {
      to.move(row * rowBytes, fileRow(row) * rowBytes, rowBytes);
    }
  }

  /** Where the file has our row {@code row}. */
  public long fileRow(long row) {
    return interleavedHeads == 0 ? row : interleaved(row, entry.shape().get(0) / interleavedHeads);
  }

  /** Which of our rows the file's row {@code row} is. */
  public long ourRow(long row) {
    return interleavedHeads == 0 ? row : parted(row, entry.shape().get(0) / interleavedHeads);
  }

  /** The place, interleaved, of a row of heads whose rotary halves stand one behind the other. */
  public static long interleaved(long row, long headRows) {
    long inHead = row % headRows;
    return row - inHead + inHead % (headRows / 2) * 2 + inHead / (headRows / 2);
  }

  /** The way back. */
  public static long parted(long row, long headRows) {
    long inHead = row % headRows;
    return row - inHead + inHead % 2 * (headRows / 2) + inHead / 2;
  }
}
