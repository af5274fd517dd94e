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

/**
 * The low-rank branch of a convolution, added to what the frozen one gave: {@code y = frozen + s
 * conv(drop(x), A) Bᵀ} (LoCon, Yeh et al. 2023).
 *
 * @param x images [B·H·W, I]
 * @param frozen [B·outH·outW, O]; y takes its place
 * @param adapter A [rank, kernel²·I] and B [O, rank]
 * @param step {@link StepState}, which names the dropout's draw
 * @param xa conv(drop(x), A) [B·outH·outW, rank, in 16 bits rounded up to 8], saved for backward
 */
public record LoraConv2d(
    Value x,
    Value frozen,
    LowRank adapter,
    Value step,
    @Out Value y,
    @Out Value xa,
    Conv2d.Setting conv,
    LoraLinear.Setting setting)
    implements Op {
  public LoraConv2d {
    Values.require(
        x.shape().rows() == conv.images() * conv.height() * conv.width()
            && adapter.in() == conv.kernel() * conv.kernel() * x.shape().last()
            && adapter.out() == frozen.shape().last()
            && adapter.readA().dtype() == x.dtype()
            && x.dtype() == frozen.dtype(),
        "lora_conv2d",
        x,
        frozen,
        adapter);
  }

  /** Appends the op; returns y. */
  public static Value of(
      Graph g,
      String name,
      Value x,
      Value frozen,
      LowRank adapter,
      Conv2d.Setting conv,
      LoraLinear.Setting setting) {
    long columns = LowRank.pitch(adapter.rank(), x.dtype());
    Value y = g.like(frozen, name + ".adapted");
    Value xa = g.temp(name + ".xa", x.dtype(), Shape.of(frozen.shape().rows(), columns));
    g.add(new LoraConv2d(x, frozen, adapter, StepState.value(g), y, xa, conv, setting));
    return y;
  }

  private static long scratch(
      Device d, Value x, LowRank adapter, Conv2d.Setting conv, LoraLinear.Setting setting) {
    return LoraOps.ln_lora_conv2d_scratch(
        d.handle(),
        conv.images(),
        conv.height(),
        conv.width(),
        x.shape().last(),
        conv.outHeight(),
        conv.outWidth(),
        adapter.out(),
        conv.kernel(),
        adapter.rank(),
        setting.dropout(),
        x.dtype().code);
  }

  @Override
  public List<Reuse> reuses() {
    return List.of(new Reuse(y, frozen, true));
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, x, adapter, conv, setting);
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    Optional<Value> dx = g.wants(x) ? Optional.of(g.newGradient(x)) : Optional.empty();
    g.emit(
        new LoraConv2dBackward(
            dy,
            x,
            xa,
            adapter,
            g.accumulator(adapter.a()),
            g.accumulator(adapter.b()),
            step,
            dx,
            conv,
            setting));
    dx.ifPresent(v -> g.add(x, v));
    if (g.wants(frozen)) {
      g.add(frozen, dy);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_lora_conv2d_fwd(
            d.handle(),
            at.of(x),
            at.of(adapter.readA()),
            at.of(adapter.readB()),
            at.of(y),
            at.of(xa),
            at.scratch(),
            at.of(step),
            conv.images(),
            conv.height(),
            conv.width(),
            x.shape().last(),
            conv.outHeight(),
            conv.outWidth(),
            adapter.out(),
            conv.kernel(),
            conv.stride(),
            conv.pad(),
            adapter.rank(),
            setting.scale(),
            setting.dropout(),
            setting.stream(),
            x.dtype().code));
  }

  /** dx if it is wanted; adds to dA and dB. */
  record LoraConv2dBackward(
      Value dy,
      Value x,
      Value xa,
      LowRank adapter,
      Value da,
      Value db,
      Value step,
      @Out Optional<Value> dx,
      Conv2d.Setting conv,
      LoraLinear.Setting setting)
      implements Backward {
    @Override
    public long scratchBytes(Device d) {
      return scratch(d, x, adapter, conv, setting);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_lora_conv2d_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(xa),
              at.of(adapter.readA()),
              at.of(adapter.readB()),
              at.of(dx),
              at.of(da),
              at.of(db),
              at.scratch(),
              at.of(step),
              conv.images(),
              conv.height(),
              conv.width(),
              x.shape().last(),
              conv.outHeight(),
              conv.outWidth(),
              adapter.out(),
              conv.kernel(),
              conv.stride(),
              conv.pad(),
              adapter.rank(),
              setting.scale(),
              setting.dropout(),
              setting.stream(),
              x.dtype().code));
    }
  }
}
