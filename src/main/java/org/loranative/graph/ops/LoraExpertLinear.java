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
 * {@link ExpertLinear} with an adapter of each expert: {@code y[r] = W[e] x[r] + s B[e] A[e] x[r]}
 * (Hu et al. 2021, §4.1), all experts in one launch.
 *
 * @param x [R, in] in the order of experts
 * @param w frozen [E, out, in]
 * @param offsets [E + 1] i32, as {@link Route} makes them
 * @param adapters A [E, rank, in] and B [E, out, rank]
 * @param y [R, out]
 * @param xa s A[e] x[r], [R, rank], in 16 bits rounded up to 8; saved for backward
 * @param scale alpha / rank, or alpha / √rank
 */
public record LoraExpertLinear(
    Value x, Value w, Value offsets, LowRank adapters, @Out Value y, @Out Value xa, float scale)
    implements Op {
  public LoraExpertLinear {
    Values.require(
        x.shape().last() == w.shape().last()
            && offsets.shape().size() == w.shape().dim(0) + 1
            && adapters.a().shape().dim(0) == w.shape().dim(0)
            && adapters.b().shape().dim(0) == w.shape().dim(0)
            && adapters.in() == w.shape().last()
            && adapters.out() == w.shape().dim(1)
            && adapters.readA().dtype() == x.dtype()
            && Values.multiply(x, w),
        "lora_expert_linear",
        x,
        w,
        adapters);
  }

  public static Value of(
      Graph g, String name, Value x, Value w, Routed route, LowRank adapters, float scale) {
    long rows = x.shape().rows();
    long pitch = LowRank.pitch(adapters.rank(), x.dtype());
    Value y = g.temp(name, x.dtype(), Shape.of(rows, w.shape().dim(1)));
    Value xa = g.temp(name + ".xa", x.dtype(), Shape.of(rows, pitch));
    g.add(new LoraExpertLinear(x, w, route.offsets(), adapters, y, xa, scale));
    return y;
  }

  private static long scratch(Device d, Value x, Value w, LowRank adapters) {
    return LoraOps.ln_lora_expert_linear_scratch(
        d.handle(),
        x.shape().rows(),
        w.shape().dim(0),
        w.shape().last(),
        w.shape().dim(1),
        adapters.rank(),
        w.dtype().code,
        x.dtype().code);
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, x, w, adapters);
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    Optional<Value> partial = g.wants(x) ? g.takePartial(x) : Optional.empty();
    Optional<Value> dx = g.wants(x) ? Optional.of(g.newGradient(x)) : Optional.empty();
    g.emit(
        new LoraExpertLinearBackward(
            dy,
            x,
            xa,
            w,
            offsets,
            adapters,
            g.accumulator(adapters.a()),
            g.accumulator(adapters.b()),
            partial,
            dx,
            scale));
    dx.ifPresent(v -> g.add(x, v));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_lora_expert_linear_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(adapters.readA()),
            at.of(adapters.readB()),
            at.of(offsets),
            at.of(y),
            at.of(xa),
            at.scratch(),
            x.shape().rows(),
            w.shape().dim(0),
            w.shape().last(),
            w.shape().dim(1),
            adapters.rank(),
            scale,
            w.dtype().code,
            x.dtype().code));
  }

  /** {@code dA[e] += …}, {@code dB[e] += …} over e's rows in their order; dx if it is wanted. */
  record LoraExpertLinearBackward(
      Value dy,
      Value x,
      Value xa,
      Value w,
      Value offsets,
      LowRank adapters,
      Value da,
      Value db,
      Optional<Value> partial,
      @Out Optional<Value> dx,
      float scale)
      implements Backward {
    @Override
    public List<Reuse> reuses() {
      return partial.stream().map(p -> new Reuse(dx.orElseThrow(), p, true)).toList();
    }

    @Override
    public long scratchBytes(Device d) {
      return scratch(d, x, w, adapters);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_lora_expert_linear_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(xa),
              at.of(w),
              at.of(adapters.readA()),
              at.of(adapters.readB()),
              at.of(offsets),
              at.of(dx),
              at.of(da),
              at.of(db),
              at.scratch(),
              x.shape().rows(),
              w.shape().dim(0),
              w.shape().last(),
              w.shape().dim(1),
              adapters.rank(),
              scale,
              partial.isPresent() ? 1 : 0,
              w.dtype().code,
              x.dtype().code));
    }
  }
}
