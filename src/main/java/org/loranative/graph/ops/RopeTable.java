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
public record RopeTable(Value positions, Value invFreq, @Out Value table, float scale)
    implements Op {
  public static Value of(Graph g, Value positions, Value invFreq, float scale) {
    Value table =
        g.temp(
            invFreq.name() + ".table",
            DType.F32,
            Shape.of(positions.shape().size(), 2 * invFreq.shape().size()));
    g.add(new RopeTable(positions, invFreq, table, scale));
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
            scale));
  }
}
