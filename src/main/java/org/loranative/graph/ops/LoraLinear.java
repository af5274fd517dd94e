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
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Glu.GluBackward;

/**
 * Frozen linear layer plus low-rank adapter: {@code y = x W0ᵀ + bias + s (drop(x) Aᵀ) Bᵀ} (Hu et
 * al. 2021, §4.1).
 *
 * @param x activations [M, in]
 * @param w0 frozen weight [out, in]
 * @param bias frozen [out] f32, if the layer has one
 * @param adapter A [rank, in] and B [out, rank]
 * @param step {@link StepState}, which names the dropout's draw
 * @param y [M, out]
 * @param xa s (drop(x) Aᵀ) [M, rank rounded up to 8], saved for backward
 * @param unit a gated linear unit made of y in the product's epilogue
 */
public record LoraLinear(
    Value x,
    Value w0,
    Optional<Value> bias,
    LowRank adapter,
    Value step,
    @Out Value y,
    @Out Value xa,
    Setting setting,
    Optional<Glu> unit)
    implements FrozenProduct {
  /**
   * @param scale alpha / rank, or alpha / √rank
   * @param dropout probability that an element of x is left out of the low-rank branch
   * @param stream Philox stream of the dropout
   */
  public record Setting(float scale, float dropout, int stream) {}

  public LoraLinear {
    Values.require(
        x.shape().last() == w0.shape().last()
            && adapter.in() == w0.shape().last()
            && adapter.out() == w0.shape().dim(0)
            && adapter.readA().dtype() == x.dtype()
            && Values.multiply(x, w0),
        "lora_linear",
        x,
        w0,
        adapter);
  }

  public static Value of(
      Graph g,
      String name,
      Value x,
      Value w0,
      Optional<Value> bias,
      LowRank adapter,
      Setting setting) {
    long rows = x.shape().rows();
    Value y = g.temp(name, x.dtype(), Shape.of(rows, w0.shape().dim(0)));
    long lowColumns = (adapter.rank() + 7) / 8 * 8; // whole chunks, see lora_ops.h
    Value xa = g.temp(name + ".xa", x.dtype(), Shape.of(rows, lowColumns));
    g.add(
        new LoraLinear(x, w0, bias, adapter, StepState.value(g), y, xa, setting, Optional.empty()));
    return y;
  }

  private static long scratch(Device d, Value x, Value w0, LowRank adapter, Setting setting) {
    return LoraOps.ln_lora_linear_scratch(
        d.handle(),
        x.shape().rows(),
        w0.shape().dim(1),
        w0.shape().dim(0),
        adapter.rank(),
        setting.dropout(),
        w0.dtype().code,
        x.dtype().code);
  }

  @Override
  public Optional<Value> multiplied() {
    return Optional.of(x);
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, x, w0, adapter, setting);
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    Optional<Value> partial = g.wants(x) ? g.takePartial(x) : Optional.empty();
    Optional<Value> dx = g.wants(x) ? Optional.of(g.newGradient(x)) : Optional.empty();
    g.emit(
        new LoraLinearBackward(
            dy,
            x,
            xa,
            w0,
            adapter,
            g.accumulator(adapter.a()),
            g.accumulator(adapter.b()),
            step,
            partial,
            dx,
            setting,
            Optional.empty()));
    dx.ifPresent(v -> g.add(x, v));
  }

  @Override
  public Optional<Op> fused(Op next) {
    return unit.isEmpty() && next instanceof Glu glu
        ? glu.behind(y)
            .map(u -> new LoraLinear(x, w0, bias, adapter, step, y, xa, setting, Optional.of(u)))
        : Optional.empty();
  }

  /** In f32 products leave alone what fills xa's rows up. */
  @Override
  public List<Value> unfinished() {
    return adapter.leavesGaps(x.dtype()) ? List.of(xa) : List.of();
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_lora_linear_fwd(
            d.handle(),
            at.of(x),
            at.of(w0),
            at.of(bias),
            at.of(adapter.readA()),
            at.of(adapter.readB()),
            at.of(y),
            at.of(xa),
            at.scratch(),
            at.of(step),
            at.of(unit.map(Glu::gate)),
            at.of(unit.map(Glu::y)),
            Glu.code(unit),
            x.shape().rows(),
            w0.shape().dim(1),
            w0.shape().dim(0),
            adapter.rank(),
            setting.scale(),
            setting.dropout(),
            setting.stream(),
            w0.dtype().code,
            x.dtype().code));
  }

  /**
   * {@code dx = dy W0 + …}, {@code dA += …}, {@code dB += …}; dx only if it is wanted.
   *
   * @param unit the gated linear unit that made x: its backward takes dx in the epilogue
   */
  record LoraLinearBackward(
      Value dy,
      Value x,
      Value xa,
      Value w0,
      LowRank adapter,
      Value da,
      Value db,
      Value step,
      Optional<Value> partial,
      @Out Optional<Value> dx,
      Setting setting,
      Optional<GluBackward> unit)
      implements Backward, FrozenProduct {
    @Override
    public List<Reuse> reuses() {
      return unit.map(GluBackward::reusesBehind)
          .orElse(partial.stream().map(p -> new Reuse(dx.orElseThrow(), p, true)).toList());
    }

    /** Dropout's mask lies between the low-rank product and dx. */
    @Override
    public Optional<Op> fused(Op next) {
      boolean plain = unit.isEmpty() && partial.isEmpty() && setting.dropout() == 0;
      return plain && dx.isPresent() && next instanceof GluBackward glu
          ? glu.behind(dx.get()).map(this::with)
          : Optional.empty();
    }

    private LoraLinearBackward with(GluBackward u) {
      return new LoraLinearBackward(
          dy,
          x,
          xa,
          w0,
          adapter,
          da,
          db,
          step,
          Optional.empty(),
          Optional.of(u.dup()),
          setting,
          Optional.of(u));
    }

    @Override
    public Optional<Value> multiplied() {
      return dx.map(v -> x);
    }

    @Override
    public long scratchBytes(Device d) {
      return scratch(d, x, w0, adapter, setting);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_lora_linear_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(xa),
              at.of(w0),
              at.of(adapter.readA()),
              at.of(adapter.readB()),
              at.of(dx),
              at.of(da),
              at.of(db),
              at.scratch(),
              at.of(step),
              at.of(unit.map(GluBackward::gate)),
              at.of(unit.map(GluBackward::up)),
              at.of(unit.map(GluBackward::dgate)),
              GluBackward.code(unit),
              x.shape().rows(),
              w0.shape().dim(1),
              w0.shape().dim(0),
              adapter.rank(),
              setting.scale(),
              setting.dropout(),
              setting.stream(),
              partial.isPresent() ? 1 : 0,
              w0.dtype().code,
              x.dtype().code));
    }
  }
}
