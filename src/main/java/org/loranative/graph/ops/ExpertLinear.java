package org.loranative.graph.ops;

import java.util.List;
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

/**
 * The linear layers of a mixture's experts, all in one launch: {@code y[r] = W[e] x[r]} where row r
 * is expert e's. x [R, in] in the order of experts, w [E, out, in] frozen, of x's dtype or in
 * blocks; offsets [E + 1] i32 as {@link Route} makes them. R does not depend on the choice.
 */
public record ExpertLinear(Value x, Value w, Value offsets, @Out Value y) implements Op {
  public ExpertLinear {
    Values.require(
        x.shape().last() == w.shape().last()
            && offsets.shape().size() == w.shape().dim(0) + 1
            && Values.multiply(x, w),
        "expert_linear",
        x,
        w);
  }

  public static Value of(Graph g, String name, Value x, Value w, Routed route) {
    Value y = g.temp(name, x.dtype(), Shape.of(x.shape().rows(), w.shape().dim(1)));
    g.add(new ExpertLinear(x, w, route.offsets(), y));
    return y;
  }

  private static long scratch(Device d, Value rows, Value w) {
    return LoraOps.ln_expert_linear_scratch(
        d.handle(), w.shape().last(), w.shape().dim(1), w.dtype().code, rows.dtype().code);
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, x, w);
  }

  @Override
  public void backward(Grads g) {
    if (g.wants(x)) {
      Optional<Value> partial = g.takePartial(x);
      Value dx = g.newGradient(x);
      g.emit(new ExpertLinearBackward(g.of(y).orElseThrow(), w, offsets, partial, dx));
      g.add(x, dx);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_expert_linear_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(offsets),
            at.of(y),
            at.scratch(),
            x.shape().rows(),
            w.shape().dim(0),
            w.shape().last(),
            w.shape().dim(1),
            w.dtype().code,
            x.dtype().code));
  }

  /** {@code dx[r] = W[e]ᵀ dy[r]}, added to {@code partial} where there is one. */
  record ExpertLinearBackward(
      Value dy, Value w, Value offsets, Optional<Value> partial, @Out Value dx)
      implements Backward {
    @Override
    public List<Reuse> reuses() {
      return partial.stream().map(p -> new Reuse(dx, p, true)).toList();
    }

    @Override
    public long scratchBytes(Device d) {
      return scratch(d, dy, w);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_expert_linear_bwd(
              d.handle(),
              at.of(dy),
              at.of(w),
              at.of(offsets),
              at.of(dx),
              at.scratch(),
              dy.shape().rows(),
              w.shape().dim(0),
              w.shape().last(),
              w.shape().dim(1),
              partial.isPresent() ? 1 : 0,
              w.dtype().code,
              dy.dtype().code));
    }
  }
}
