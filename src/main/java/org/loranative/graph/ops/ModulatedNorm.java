package org.loranative.graph.ops;

import java.util.List;
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
 * A layer norm without weights of its own, scaled and shifted by what a timestep makes (adaLN:
 * Peebles and Xie 2023): {@code y = xhat (1 + scale[b]) + shift[b]} for x, y [B·N, C] and scale,
 * shift [B, C]; stats [B·N, 2] f32 (mean, rstd) is saved for backward.
 */
public record ModulatedNorm(
    Value x, Value scale, Value shift, @Out Value y, @Out Value stats, float eps) implements Op {
  public ModulatedNorm {
    Values.require(
        scale.shape().equals(shift.shape())
            && x.shape().last() == scale.shape().last()
            && x.shape().rows() % scale.shape().rows() == 0,
        "modulated_norm",
        x,
        scale,
        shift);
  }

  public static Value of(Graph g, String name, Value x, Value scale, Value shift, float eps) {
    Value y = g.like(x, name);
    Value stats = g.temp(name + ".stats", DType.F32, Shape.of(x.shape().rows(), 2));
    g.add(new ModulatedNorm(x, scale, shift, y, stats, eps));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (g.wants(scale) || g.wants(shift)) {
      Value dscale = g.newGradient(scale);
      Value dshift = g.newGradient(shift);
      g.emit(new ModulationBackward(dy, x, stats, dscale, dshift));
      if (g.wants(scale)) {
        g.add(scale, dscale);
      }
      if (g.wants(shift)) {
        g.add(shift, dshift);
      }
    }
    if (g.wants(x)) {
      Value dx = g.newGradient(x);
      g.emit(new ModulatedNormBackward(dy, x, scale, stats, dx));
      g.add(x, dx);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    long images = scale.shape().rows();
    d.check(
        LoraOps.ln_modulated_norm_fwd(
            d.handle(),
            at.of(x),
            at.of(scale),
            at.of(shift),
            at.of(y),
            at.of(stats),
            images,
            x.shape().rows() / images,
            x.shape().last(),
            eps,
            x.dtype().code));
  }

  record ModulatedNormBackward(Value dy, Value x, Value scale, Value stats, @Out Value dx)
      implements Backward {
    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dx, dy, false));
    }

    @Override
    public void run(Device d, Addresses at) {
      long images = scale.shape().rows();
      d.check(
          LoraOps.ln_modulated_norm_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(scale),
              at.of(stats),
              at.of(dx),
              images,
              x.shape().rows() / images,
              x.shape().last(),
              x.dtype().code));
    }
  }

  record ModulationBackward(Value dy, Value x, Value stats, @Out Value dscale, @Out Value dshift)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      long images = dscale.shape().rows();
      d.check(
          LoraOps.ln_modulated_norm_weight_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(stats),
              at.of(dscale),
              at.of(dshift),
              images,
              x.shape().rows() / images,
              x.shape().last(),
              x.dtype().code));
    }
  }
}
