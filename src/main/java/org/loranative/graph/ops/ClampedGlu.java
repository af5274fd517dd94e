package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/**
 * A gated unit whose numbers are bounded (gpt-oss): with g = min(gate, limit) and u = up within
 * ±limit, {@code y = (u + 1) g sigmoid(α g)}, all [M, F].
 */
public record ClampedGlu(Value gate, Value up, @Out Value y, Setting setting) implements Op {
  /** Numbers of a config: α, and what bounds gate and up. */
  public record Setting(float alpha, float limit) {}

  public ClampedGlu {
    Values.require(gate.shape().equals(up.shape()), "clamped_glu", gate, up);
  }

  public static Value of(Graph g, Value gate, Value up, Setting setting) {
    Value y = g.like(gate, "glu");
    g.add(new ClampedGlu(gate, up, y, setting));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dgate = g.newGradient(gate);
    Value dup = g.newGradient(up);
    g.emit(new ClampedGluBackward(g.of(y).orElseThrow(), gate, up, dgate, dup, setting));
    g.add(gate, dgate);
    g.add(up, dup);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_clamped_glu_fwd(
            d.handle(),
            at.of(gate),
            at.of(up),
            at.of(y),
            y.shape().rows(),
            y.shape().last(),
            y.shape().last(),
            1,
            setting.alpha(),
            setting.limit(),
            y.dtype().code));
  }

  record ClampedGluBackward(
      Value dy, Value gate, Value up, @Out Value dgate, @Out Value dup, Setting setting)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_clamped_glu_bwd(
              d.handle(),
              at.of(dy),
              at.of(gate),
              at.of(up),
              at.of(dgate),
              at.of(dup),
              dy.shape().rows(),
              dy.shape().last(),
              dy.shape().last(),
              1,
              setting.alpha(),
              setting.limit(),
              dy.dtype().code));
    }
  }
}
