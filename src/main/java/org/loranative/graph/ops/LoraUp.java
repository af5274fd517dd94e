package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
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
 * {@link LoraLinear} whose {@code s x Aᵀ} {@link LoraDown} has made, together with those of other
 * layers: {@code y = x W0ᵀ + bias + xa Bᵀ}.
 *
 * @param x activations [M, in]
 * @param w0 frozen weight [out, in]
 * @param bias frozen [out] f32, if the layer has one
 * @param adapter A [rank, in] and B [out, rank]
 * @param xa of all layers
 * @param y [M, out]
 * @param unit a gated linear unit made of y in the product's epilogue
 */
public record LoraUp(
    Value x,
    Value w0,
    Optional<Value> bias,
    LowRank adapter,
    Value xa,
    @Out Value y,
    Setting setting,
    Optional<Glu> unit)
    implements FrozenProduct {
  /**
   * @param from where the layer's columns of xa begin
   * @param scale alpha / rank, or alpha / √rank
   */
  public record Setting(long from, float scale) {}

  /** One of the layers. */
  public record Layer(String name, Value w0, Optional<Value> bias, LowRank adapter) {}

  public LoraUp {
    Values.require(
        x.shape().last() == w0.shape().last()
            && adapter.in() == w0.shape().last()
            && adapter.out() == w0.shape().dim(0)
            && setting.from() + LoraDown.room(adapter) <= xa.shape().last()
            && Values.multiply(x, w0),
        "lora up",
        x,
        w0,
        adapter,
        xa);
  }

  /**
   * Layers that read the same x: appends what they share, and each layer where it is asked for what
   * it makes. All must be asked for, once, and read.
   */
  public static List<Supplier<Value>> of(Graph g, Value x, List<Layer> layers, float scale) {
    LoraDown down =
        LoraDown.of(
            g, layers.get(0).name(), x, layers.stream().map(Layer::adapter).toList(), scale);
    List<Supplier<Value>> made = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Layer l = layers.get(i);
      Setting setting = new Setting(down.starts().get(i), scale);
      made.add(() -> append(g, x, l, down.xa(), setting));
    }
    return made;
  }

  private static Value append(Graph g, Value x, Layer l, Value xa, Setting setting) {
    Value y = g.temp(l.name(), x.dtype(), Shape.of(x.shape().rows(), l.w0().shape().dim(0)));
    g.add(new LoraUp(x, l.w0(), l.bias(), l.adapter(), xa, y, setting, Optional.empty()));
    return y;
  }

  @Override
  public Optional<Value> multiplied() {
    return Optional.of(x);
  }

  @Override
  public long scratchBytes(Device d) {
    return Linear.scratch(d, x, w0);
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    Optional<Value> partial = g.wants(x) ? g.takePartial(x) : Optional.empty();
    Optional<Value> dx = g.wants(x) ? Optional.of(g.newGradient(x)) : Optional.empty();
    Optional<Value> others = g.takePartial(xa);
    Value dxa = g.newGradient(xa);
    g.emit(
        new LoraUpBackward(
            dy, x, xa, w0, adapter, g.accumulator(adapter.b()), partial, dx, others, dxa, setting));
    dx.ifPresent(v -> g.add(x, v));
    g.add(xa, dxa);
  }

  @Override
  public Optional<Op> fused(Op next) {
    return unit.isEmpty() && next instanceof Glu glu
        ? glu.behind(y).map(u -> new LoraUp(x, w0, bias, adapter, xa, y, setting, Optional.of(u)))
        : Optional.empty();
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_lora_up_fwd(
            d.handle(),
            at.of(x),
            at.of(w0),
            at.of(bias),
            at.of(adapter.readB()),
            at.of(xa) + xa.dtype().bytes(setting.from()),
            at.of(y),
            at.scratch(),
            at.of(unit.map(Glu::gate)),
            at.of(unit.map(Glu::y)),
            Glu.code(unit),
            x.shape().rows(),
            w0.shape().dim(1),
            w0.shape().dim(0),
            adapter.rank(),
            xa.shape().last(),
            w0.dtype().code,
            x.dtype().code));
  }

  /**
   * The layer's columns of {@code dxa = s dy B}, beside those that other layers have written, and
   * {@code dx = dy W0 + dxa A}, {@code dB += …}; dx only if it is wanted.
   */
  record LoraUpBackward(
      Value dy,
      Value x,
      Value xa,
      Value w0,
      LowRank adapter,
      Value db,
      Optional<Value> partial,
      @Out Optional<Value> dx,
      Optional<Value> others,
      @Out Value dxa,
      Setting setting)
      implements Backward, FrozenProduct {
    @Override
    public List<Reuse> reuses() {
      List<Reuse> reuses = new ArrayList<>();
      partial.ifPresent(p -> reuses.add(new Reuse(dx.orElseThrow(), p, true)));
      others.ifPresent(o -> reuses.add(new Reuse(dxa, o, true)));
      return reuses;
    }

    @Override
    public List<Value> unfinished() {
      return List.of(dxa);
    }

    @Override
    public Optional<Value> multiplied() {
      return dx.map(v -> x);
    }

    @Override
    public long scratchBytes(Device d) {
      return Linear.scratch(d, x, w0);
    }

    @Override
    public void run(Device d, Addresses at) {
      long column = xa.dtype().bytes(setting.from());
      d.check(
          LoraOps.ln_lora_up_bwd(
              d.handle(),
              at.of(dy),
              at.of(xa) + column,
              at.of(w0),
              at.of(adapter.readA()),
              at.of(adapter.readB()),
              at.of(dx),
              at.of(dxa) + column,
              at.of(db),
              at.scratch(),
              x.shape().rows(),
              w0.shape().dim(1),
              w0.shape().dim(0),
              adapter.rank(),
              xa.shape().last(),
              setting.scale(),
              partial.isPresent() ? 1 : 0,
              w0.dtype().code,
              x.dtype().code));
    }
  }
}
