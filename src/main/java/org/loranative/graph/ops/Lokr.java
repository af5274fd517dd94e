package org.loranative.graph.ops;

import java.util.Optional;
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
 * What LoKr adds to a weight: {@code d = s w1 ⊗ w2} (Yeh et al. 2023).
 *
 * @param w1 [outL, inM] f32
 * @param w2 [outK, taps·inN] f32; of a product {@code w2 w2b} the first factor, [outK, rank]
 * @param w2b the second, [rank, taps·inN] f32
 * @param d [outL·outK, taps·inM·inN], in the dtype of the products it enters
 */
public record Lokr(Value w1, Value w2, Optional<Value> w2b, @Out Value d, Setting setting)
    implements Op {
  /**
   * @param taps kernel² of a convolution, else 1
   * @param scale alpha / rank, or alpha / √rank
   */
  public record Setting(long taps, float scale) {}

  public Lokr {
    Values.require(
        w2b.isEmpty() || w2.shape().last() == w2b.get().shape().dim(0), "lokr", w1, w2, w2b);
  }

  /** Appends the op; returns d. */
  public static Value of(
      Graph g, String name, Value w1, Value w2, Optional<Value> w2b, Setting setting, DType dtype) {
    long in = w1.shape().last() * w2b.orElse(w2).shape().last();
    Value d = g.temp(name, dtype, Shape.of(w1.shape().dim(0) * w2.shape().dim(0), in));
    g.add(new Lokr(w1, w2, w2b, d, setting));
    return d;
  }

  /** Inputs in w2. */
  private static long inN(Value w2, Optional<Value> w2b, Setting setting) {
    return w2b.orElse(w2).shape().last() / setting.taps();
  }

  private static long scratch(Device d, Value w2, Optional<Value> w2b, Setting setting) {
    return LoraOps.ln_lokr_scratch(
        d.handle(), w2.shape().dim(0), inN(w2, w2b, setting), setting.taps());
  }

  private static long rank(Optional<Value> w2b) {
    return w2b.map(b -> b.shape().dim(0)).orElse(0L);
  }

  @Override
  public long scratchBytes(Device device) {
    return scratch(device, w2, w2b, setting);
  }

  @Override
  public void backward(Grads g) {
    g.emit(
        new LokrBackward(
            g.of(d).orElseThrow(),
            w1,
            w2,
            w2b,
            g.accumulator(w1),
            g.accumulator(w2),
            w2b.map(g::accumulator),
            setting));
  }

  @Override
  public void run(Device device, Addresses at) {
    device.check(
        LoraOps.ln_lokr_fwd(
            device.handle(),
            at.of(w1),
            at.of(w2),
            at.of(w2b),
            at.of(d),
            at.scratch(),
            w1.shape().dim(0),
            w2.shape().dim(0),
            w1.shape().last(),
            inN(w2, w2b, setting),
            setting.taps(),
            rank(w2b),
            setting.scale(),
            d.dtype().code));
  }

  /** Adds to the gradients of the factors. */
  record LokrBackward(
      Value dd,
      Value w1,
      Value w2,
      Optional<Value> w2b,
      Value dw1,
      Value dw2,
      Optional<Value> dw2b,
      Setting setting)
      implements Backward {
    @Override
    public long scratchBytes(Device device) {
      return scratch(device, w2, w2b, setting);
    }

    @Override
    public void run(Device device, Addresses at) {
      device.check(
          LoraOps.ln_lokr_bwd(
              device.handle(),
              at.of(dd),
              at.of(w1),
              at.of(w2),
              at.of(w2b),
              at.of(dw1),
              at.of(dw2),
              at.of(dw2b),
              at.scratch(),
              w1.shape().dim(0),
              w2.shape().dim(0),
              w1.shape().last(),
              inN(w2, w2b, setting),
              setting.taps(),
              rank(w2b),
              setting.scale()));
    }
  }
}
