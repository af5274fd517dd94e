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
 * Layer norm (Ba et al. 2016) with frozen w, b [C] f32 over rows of x [M, C]; stats [M, 2] f32
 * (mean, rstd) is saved for backward.
 */
public record LayerNorm(Value x, Value w, Value b, @Out Value y, @Out Value stats, float eps)
    implements Op {
  public LayerNorm {
    Values.require(
        x.shape().last() == w.shape().size() && w.shape().equals(b.shape()), "layer_norm", x, w, b);
  }

  public static Value of(Graph g, String name, Value x, Value w, Value b, float eps) {
    Value y = g.like(x, name);
    Value stats = g.temp(name + ".stats", DType.F32, Shape.of(x.shape().rows(), 2));
    g.add(new LayerNorm(x, w, b, y, stats, eps));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new LayerNormBackward(g.of(y).orElseThrow(), x, w, stats, dx));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_layer_norm_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(b),
            at.of(y),
            at.of(stats),
            x.shape().rows(),
            x.shape().last(),
            eps,
            x.dtype().code));
  }

  record LayerNormBackward(Value dy, Value x, Value w, Value stats, @Out Value dx)
      implements Backward {
    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dx, dy, false));
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_layer_norm_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(w),
              at.of(stats),
              at.of(dx),
              x.shape().rows(),
              x.shape().last(),
              x.dtype().code));
    }
  }
}
