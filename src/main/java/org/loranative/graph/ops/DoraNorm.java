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
 * The lengths of adapted rows, {@code norm[o] = |w0[o] + s b[o] A|}, which no gradient goes through
 * (Liu et al. 2024, §4.3).
 *
 * @param w0 frozen [out, in], in a floating-point dtype or in blocks
 * @param a [rank, in] f32
 * @param b [out, rank] f32
 * @param norm [out] f32
 * @param scale alpha / rank, or alpha / √rank
 */
public record DoraNorm(Value w0, Value a, Value b, @Out Value norm, float scale) implements Op {
  public DoraNorm {
    Values.require(
        w0.shape().size() == b.shape().dim(0) * a.shape().last()
            && a.shape().dim(0) == b.shape().last(),
        "dora_norm",
        w0,
        a,
        b);
  }

  /** Appends the op; returns the norms. */
  public static Value of(Graph g, String name, Value w0, Value a, Value b, float scale) {
    Value norm = g.temp(name, DType.F32, Shape.of(b.shape().dim(0)));
    g.add(new DoraNorm(w0, a, b, norm, scale));
    return norm;
  }

  @Override
  public long scratchBytes(Device d) {
    return LoraOps.ln_dora_norm_scratch(d.handle(), a.shape().last(), b.shape().dim(0));
  }

  /** Nothing: the norm counts as a constant. */
  @Override
  public void backward(Grads g) {}

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_dora_norm_fwd(
            d.handle(),
            at.of(w0),
            at.of(a),
            at.of(b),
            at.of(norm),
            at.scratch(),
            a.shape().last(),
            b.shape().dim(0),
            a.shape().dim(0),
            scale,
            w0.dtype().code));
  }
}
