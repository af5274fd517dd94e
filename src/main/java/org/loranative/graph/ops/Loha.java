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
 * What LoHa adds to a weight: {@code d = s (a1 b1) ∘ (a2 b2)} (Yeh et al. 2023; Hyeon-Woo et al.
 * 2022).
 *
 * @param a1 [out, rank] f32; a2 likewise
 * @param b1 [rank, in] f32; b2 likewise
 * @param d [out, in], in the dtype of the products it enters
 * @param scale alpha / rank, or alpha / √rank
 */
public record Loha(Value a1, Value b1, Value a2, Value b2, @Out Value d, float scale)
    implements Op {
  public Loha {
    Values.require(
        a1.shape().equals(a2.shape())
            && b1.shape().equals(b2.shape())
            && a1.shape().last() == b1.shape().dim(0),
        "loha",
        a1,
        b1,
        a2,
        b2);
  }

  /** Appends the op; returns d. */
  public static Value of(
      Graph g, String name, Value a1, Value b1, Value a2, Value b2, float scale, DType dtype) {
    Value d = g.temp(name, dtype, Shape.of(a1.shape().dim(0), b1.shape().last()));
    g.add(new Loha(a1, b1, a2, b2, d, scale));
    return d;
  }

  private static long scratch(Device d, Value a, Value b) {
    return LoraOps.ln_loha_scratch(d.handle(), a.shape().dim(0), b.shape().last());
  }

  @Override
  public long scratchBytes(Device device) {
    return scratch(device, a1, b1);
  }

  @Override
  public void backward(Grads g) {
    g.emit(
        new LohaBackward(
            g.of(d).orElseThrow(),
            a1,
            b1,
            a2,
            b2,
            g.accumulator(a1),
            g.accumulator(b1),
            g.accumulator(a2),
            g.accumulator(b2),
            scale));
  }

  @Override
  public void run(Device device, Addresses at) {
    device.check(
        LoraOps.ln_loha_fwd(
            device.handle(),
            at.of(a1),
            at.of(b1),
            at.of(a2),
            at.of(b2),
            at.of(d),
            at.scratch(),
            a1.shape().dim(0),
            b1.shape().last(),
            b1.shape().dim(0),
            scale,
            d.dtype().code));
  }

  /** Adds to the gradients of the factors. */
  record LohaBackward(
      Value dd,
      Value a1,
      Value b1,
      Value a2,
      Value b2,
      Value da1,
      Value db1,
      Value da2,
      Value db2,
      float scale)
      implements Backward {
    @Override
    public long scratchBytes(Device device) {
      return scratch(device, a1, b1);
    }

    @Override
    public void run(Device device, Addresses at) {
      device.check(
          LoraOps.ln_loha_bwd(
              device.handle(),
              at.of(dd),
              at.of(a1),
              at.of(b1),
              at.of(a2),
              at.of(b2),
              at.of(da1),
              at.of(db1),
              at.of(da2),
              at.of(db2),
              at.scratch(),
              a1.shape().dim(0),
              b1.shape().last(),
              b1.shape().dim(0),
              scale));
    }
  }
}
