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
import org.loranative.io.DType;

/**
 * RMSNorm (Zhang and Sennrich 2019, eq. 4) with optional residual add: {@code sum = x + residual},
 * {@code y = sum rstd w}. Rows are all of C = w's length, so a [M, heads·D] array with w [D] is
 * normalized head by head.
 *
 * @param turn a rotation of the heads that y is, made in the same pass
 */
public record RmsNorm(
    Value x,
    Optional<Value> residual,
    Value w,
    @Out Value y,
    @Out Optional<Value> sum,
    @Out Value rstd,
    float eps,
    Optional<Rope> turn)
    implements Op {
  public RmsNorm {
    Values.require(x.shape().size() % w.shape().size() == 0, "rms_norm", x, w);
  }

  /** y, and the sum x + residual for the next residual. */
  public record Result(Value y, Value sum) {}

  public static Result of(
      Graph g, String name, Value x, Optional<Value> residual, Value w, float eps) {
    Value y = g.like(x, name);
    Optional<Value> sum = residual.map(r -> g.like(x, name + ".sum"));
    Value rstd = g.temp(name + ".rstd", DType.F32, Shape.of(x.shape().size() / w.shape().size()));
    g.add(new RmsNorm(x, residual, w, y, sum, rstd, eps, Optional.empty()));
    return new Result(y, sum.orElse(x));
  }

  @Override
  public List<Reuse> reuses() {
    return sum.stream().map(s -> new Reuse(s, residual.orElseThrow(), false)).toList();
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value total = sum.orElse(x);
    Optional<Value> dsum = sum.flatMap(g::of);
    Optional<Value> dy = g.of(y);
    Value dx;
    if (dy.isEmpty()) {
      dx = dsum.orElseThrow();
    } else {
      dx = g.newGradient(x);
      g.emit(new RmsNormBackward(dy.get(), dsum, total, w, rstd, dx, Optional.empty()));
    }
    if (g.wants(x)) {
      g.add(x, dx);
    }
    residual.filter(g::wants).ifPresent(r -> g.add(r, dx));
  }

  @Override
  public Optional<Op> fused(Op next) {
    boolean plain = turn.isEmpty() && residual.isEmpty();
    return plain && next instanceof Rope rope && rope.x().equals(y) && rope.turnsWhole(w, false)
        ? Optional.of(
            new RmsNorm(
                x, residual, w, rope.y(), sum, rstd, eps, Optional.of(rope.of(rope.y(), rope.y()))))
        : Optional.empty();
  }

  @Override
  public void run(Device d, Addresses at) {
    long c = w.shape().size();
    d.check(
        LoraOps.ln_rms_norm_fwd(
            d.handle(),
            at.of(x),
            at.of(residual),
            at.of(w),
            at.of(y),
            at.of(sum),
            at.of(rstd),
            at.of(turn.map(Rope::table)),
            turn.map(Rope::heads).orElse(1L),
            x.shape().size() / c,
            c,
            eps,
            x.dtype().code));
  }

  /**
   * @param turn the rotation back of dy that comes first
   */
  record RmsNormBackward(
      Value dy,
      Optional<Value> dsum,
      Value total,
      Value w,
      Value rstd,
      @Out Value dx,
      Optional<Rope> turn)
      implements Backward {
    @Override
    public Optional<Op> fusedBehind(Op before) {
      boolean plain = turn.isEmpty() && dsum.isEmpty();
      return plain && before instanceof Rope rope && rope.y().equals(dy) && rope.turnsWhole(w, true)
          ? Optional.of(
              new RmsNormBackward(
                  rope.x(), dsum, total, w, rstd, dx, Optional.of(rope.of(rope.x(), dx))))
          : Optional.empty();
    }

    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dx, dsum.orElse(dy), false));
    }

    @Override
    public void run(Device d, Addresses at) {
      long c = w.shape().size();
      d.check(
          LoraOps.ln_rms_norm_bwd(
              d.handle(),
              at.of(dy),
              at.of(dsum),
              at.of(total),
              at.of(w),
              at.of(rstd),
              at.of(dx),
              at.of(turn.map(Rope::table)),
              turn.map(Rope::heads).orElse(1L),
              dx.shape().size() / c,
              c,
              dx.dtype().code));
    }
  }
}
