package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Cosines and sines of a batch's positions, made once and read by every layer: positions [M] i32,
 * invFreq [half] f32, table [M, 2 half] f32.
 */
public record RopeTable(
    Value positions, Value invFreq, @Out Value table, float scale, Growth growth) implements Op {
  /**
   * How queries grow with their position p, so that attention over long documents stays sharp: by 1
   * + beta ln(1 + ⌊p / length⌋), as Llama 4 and Ministral 3 do.
   *
   * @param beta 0 for not at all
   * @param length tokens from one step of it to the next
   */
  public record Growth(float beta, int length) {
    public static final Growth NONE = new Growth(0, 1);

    public Growth {
      if (length < 1) {
        throw new IllegalArgumentException("length " + length);
      }
    }
  }

  public static Value of(Graph g, Value positions, Value invFreq, float scale) {
    return of(g, positions, invFreq, scale, Growth.NONE);
  }

  /** The table for queries that grow. */
  public static Value of(Graph g, Value positions, Value invFreq, float scale, Growth growth) {
    Value table =
        g.temp(
            invFreq.name() + (growth.equals(Growth.NONE) ? ".table" : ".queries"),
            DType.F32,
            Shape.of(positions.shape().size(), 2 * invFreq.shape().size()));
    g.add(new RopeTable(positions, invFreq, table, scale, growth));
    return table;
  }

  @Override
  public void backward(Grads g) {
    throw new UnsupportedOperationException("positions have no gradient");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_rope_table_fwd(
            d.handle(),
            at.of(positions),
            at.of(invFreq),
            at.of(table),
            positions.shape().size(),
            invFreq.shape().size(),
            scale,
            growth.beta(),
            growth.length()));
  }
}
