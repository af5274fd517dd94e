package org.loranative.graph.ops;

import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/**
 * Each channel of an adapted layer at its own length: {@code y = z magnitude / norm + bias} (Liu et
 * al. 2024, §4.1).
 *
 * @param z what the layer gives without a bias [M, out]
 * @param magnitude [out] f32
 * @param norm [out] f32, a constant
 * @param bias frozen [out] f32, if the layer has one
 */
public record DoraScale(Value z, Value magnitude, Value norm, Optional<Value> bias, @Out Value y)
    implements Op {
  public DoraScale {
    Values.require(
        z.shape().last() == magnitude.shape().size() && z.shape().last() == norm.shape().size(),
        "dora_scale",
        z,
        magnitude,
        norm);
  }

  /** Appends the op; returns y. */
  public static Value of(
      Graph g, String name, Value z, Value magnitude, Value norm, Optional<Value> bias) {
    Value y = g.like(z, name);
    g.add(new DoraScale(z, magnitude, norm, bias, y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dz = g.newGradient(z);
    g.emit(
        new DoraScaleBackward(
            g.of(y).orElseThrow(), z, magnitude, norm, g.accumulator(magnitude), dz));
    g.add(z, dz);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_dora_scale_fwd(
            d.handle(),
            at.of(z),
            at.of(magnitude),
            at.of(norm),
            at.of(bias),
            at.of(y),
            z.shape().rows(),
            z.shape().last(),
            z.dtype().code));
  }

  /** {@code dz = dy magnitude / norm}; adds to the gradient of the magnitude. */
  record DoraScaleBackward(
      Value dy, Value z, Value magnitude, Value norm, Value dMagnitude, @Out Value dz)
      implements Backward {
    @Override
    public long scratchBytes(Device d) {
      return LoraOps.ln_dora_scale_scratch(d.handle(), z.shape().rows(), z.shape().last());
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_dora_scale_bwd(
              d.handle(),
              at.of(dy),
              at.of(z),
              at.of(magnitude),
              at.of(norm),
              at.of(dz),
              at.of(dMagnitude),
              at.scratch(),
              z.shape().rows(),
              z.shape().last(),
              z.dtype().code));
    }
  }
}
