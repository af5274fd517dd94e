package org.loranative.optim;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.MatrixRange;
import org.loranative.graph.ops.ParameterRange;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.Part;
import org.loranative.lora.Slot;

/**
 * The adapters' parts as matrices, for optimizers that keep means of rows and of columns. All axes
 * but the last count rows: a convolution's kernel is a matrix of as many rows as it has outputs.
 */
final class FactoredMatrices {
  /** A matrix in the flat buffer. */
  private record Matrix(long offset, Part part) {
    long rows() {
      return part.shape().rows();
    }

    long columns() {
      return part.shape().last();
    }
  }

  private final List<Matrix> matrices;

  FactoredMatrices(Adapters adapters) {
    matrices =
        adapters.modules().stream()
            .flatMap(m -> m.parts().stream())
            .map(place -> new Matrix(place.offset(), place.part()))
            .sorted(Comparator.comparingLong(Matrix::offset))
            .toList();
  }

  /** Means of rows, likewise columns. */
  List<Slot> means(String row, String column) {
    return List.of(
        Slot.zeros(row, DType.F32, matrices.stream().mapToLong(Matrix::rows).sum()),
        Slot.zeros(column, DType.F32, matrices.stream().mapToLong(Matrix::columns).sum()));
  }

  /** What a {@link MatrixRange} reads. */
  Slot table() {
    int[] table = new int[matrices.size() * MatrixRange.NUMBERS];
    long rows = 0;
    long columns = 0;
    int at = 0;
    for (Matrix m : matrices) {
      int axes = m.part().shape().dims().size();
      assert m.offset() % MatrixRange.UNIT == 0;
      long begin = m.offset() / MatrixRange.UNIT;
      for (long x : new long[] {begin, m.rows(), m.columns(), rows, columns, axes}) {
        table[at++] = Math.toIntExact(x);
      }
      rows += m.rows();
      columns += m.columns();
    }
    return Slot.constant("matrices", table);
  }

  /** The matrices of each stretch that learns at a rate of its own. */
  List<MatrixRange> ranges(Update u, Value table) {
    List<MatrixRange> ranges = new ArrayList<>();
    for (ParameterRange range : u.ranges()) {
      List<Matrix> of =
          matrices.stream()
              .filter(m -> m.offset() >= range.from() && m.offset() < range.from() + range.size())
              .toList();
      ranges.add(new MatrixRange(table, matrices.indexOf(of.get(0)), of.size(), range.rate()));
    }
    return ranges;
  }
}
