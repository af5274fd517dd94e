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
import org.loranative.graph.ops.Glu.GluBackward;
import org.loranative.io.DType;

/**
 * Linear layer: {@code y = x W0ᵀ + bias}; x [M, in], w0 [out, in] of x's dtype or in blocks, bias
 * [out] f32. w0 is frozen, or made in the graph.
 *
 * @param unit a gated linear unit made of y in the product's epilogue
 */
public record Linear(Value x, Value w0, Optional<Value> bias, @Out Value y, Optional<Glu> unit)
    implements FrozenProduct {
  public Linear {
    Values.require(
        x.shape().last() == w0.shape().last() && Values.multiply(x, w0), "linear", x, w0);
  }

  /** Appends the op; y [M, out] has the given dtype (the dtype of x, or F32 for logits). */
  public static Value of(
      Graph g, String name, Value x, Value w0, Optional<Value> bias, DType yType) {
    Value y = g.temp(name, yType, Shape.of(x.shape().rows(), w0.shape().dim(0)));
    g.add(new Linear(x, w0, bias, y, Optional.empty()));
    return y;
  }

  /** What a product of rows [M, in or out] with w0, either way, needs. */
  static long scratch(Device d, Value rows, Value w0) {
    return LoraOps.ln_linear_scratch(
        d.handle(),
        rows.shape().rows(),
        w0.shape().dim(1),
        w0.shape().dim(0),
        w0.dtype().code,
        rows.dtype().code);
  }

  @Override
  public Optional<Value> multiplied() {
    return Optional.of(x);
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, x, w0);
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (g.wants(x)) {
      Optional<Value> partial = g.takePartial(x);
      Value dx = g.newGradient(x);
      g.emit(new LinearBackward(dy, g.again(w0), partial, dx, Optional.empty()));
      g.add(x, dx);
    }
    if (g.wants(w0)) {
      Value dw = g.weightGradient(w0);
      g.emit(new LinearWeightBackward(dy, x, dw));
      g.add(w0, dw);
    }
  }

  @Override
  public Optional<Op> fused(Op next) {
    return unit.isEmpty() && x.dtype() == y.dtype() && next instanceof Glu glu
        ? glu.behind(y).map(u -> new Linear(x, w0, bias, y, Optional.of(u)))
        : Optional.empty();
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_linear_fwd(
            d.handle(),
            at.of(x),
            at.of(w0),
            at.of(bias),
            at.of(y),
            at.scratch(),
            at.of(unit.map(Glu::gate)),
            at.of(unit.map(Glu::y)),
            Glu.code(unit),
            x.shape().rows(),
            w0.shape().dim(1),
            w0.shape().dim(0),
            w0.dtype().code,
            x.dtype().code,
            y.dtype().code));
  }

  /**
   * {@code dx = dy W0}, added to {@code partial} where there is one.
   *
   * @param unit the gated linear unit that made x: its backward takes dx in the epilogue
   */
  record LinearBackward(
      Value dy, Value w0, Optional<Value> partial, @Out Value dx, Optional<GluBackward> unit)
      implements Backward, FrozenProduct {
    @Override
    public List<Reuse> reuses() {
      return unit.map(GluBackward::reusesBehind)
          .orElse(partial.stream().map(p -> new Reuse(dx, p, true)).toList());
    }

    @Override
    public Optional<Op> fused(Op next) {
      return unit.isEmpty() && partial.isEmpty() && next instanceof GluBackward glu
          ? glu.behind(dx)
              .map(u -> new LinearBackward(dy, w0, Optional.empty(), u.dup(), Optional.of(u)))
          : Optional.empty();
    }

    @Override
    public Optional<Value> multiplied() {
      return Optional.of(dy);
    }

    @Override
    public long scratchBytes(Device d) {
      return scratch(d, dy, w0);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_linear_bwd(
              d.handle(),
              at.of(dy),
              at.of(w0),
              at.of(dx),
              at.scratch(),
              at.of(unit.map(GluBackward::gate)),
              at.of(unit.map(GluBackward::up)),
              at.of(unit.map(GluBackward::dgate)),
              GluBackward.code(unit),
              dy.shape().rows(),
              w0.shape().dim(1),
              w0.shape().dim(0),
              partial.isPresent() ? 1 : 0,
              w0.dtype().code,
              dy.dtype().code));
    }
  }

  /** {@code dw = dyᵀ x}. */
  record LinearWeightBackward(Value dy, Value x, @Out Value dw) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_linear_weight_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(dw),
              x.shape().rows(),
              x.shape().last(),
              dy.shape().last(),
              x.dtype().code));
    }
  }
}
