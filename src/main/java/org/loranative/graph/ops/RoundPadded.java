package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * The matrix x in a dtype of 16 bits, filled up with zeros: what a product reads of a matrix that
 * is trained in f32. Its gradient is x's own, which the product's backward adds to.
 *
 * @param x [rows, columns] or [experts, rows, columns] f32
 * @param y likewise, with more rows or columns
 */
public record RoundPadded(Value x, @Out Value y) implements Op.Backward {
  /** How the axes of a matrix count for a copy that has more of its last or of the one before. */
  public record Sizes(long rows, long columns, long paddedRows, long paddedColumns) {
    /** Rows that are filled up lie behind those of their expert, as more columns of it would. */
    public static Sizes of(Shape from, Shape to) {
      return from.last() == to.last()
          ? new Sizes(first(from), from.size() / first(from), first(to), to.size() / first(to))
          : new Sizes(from.rows(), from.last(), to.rows(), to.last());
    }

    private static long first(Shape s) {
      return s.dims().size() == 3 ? s.dim(0) : 1;
    }
  }

  public static Value of(Graph g, Value x, Shape padded, DType dtype) {
    Value y = g.temp(x.name() + "." + dtype, dtype, padded);
    g.add(new RoundPadded(x, y));
    return y;
  }

  @Override
  public void run(Device d, Addresses at) {
    Sizes s = Sizes.of(x.shape(), y.shape());
    d.check(
        LoraOps.ln_round_padded_fwd(
            d.handle(),
            at.of(x),
            at.of(y),
            s.rows(),
            s.columns(),
            s.paddedRows(),
            s.paddedColumns(),
            y.dtype().code));
  }
}
