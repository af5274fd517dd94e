package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/** Doubles images x [B·H·W, C] in both directions, each pixel four times (nearest). */
public record Upsample(Value x, @Out Value y, Setting setting) implements Op {
  /**
   * @param images B
   * @param outHeight 2 height, or one less; outWidth likewise
   */
  public record Setting(long images, long height, long width, long outHeight, long outWidth) {}

  public Upsample {
    Values.require(
        x.shape().rows() == setting.images() * setting.height() * setting.width()
            && (setting.outHeight() + 1) / 2 == setting.height()
            && (setting.outWidth() + 1) / 2 == setting.width(),
        "upsample",
        x);
  }

  public static Value of(Graph g, Value x, Setting s) {
    long rows = s.images() * s.outHeight() * s.outWidth();
    Value y = g.temp("upsampled", x.dtype(), Shape.of(rows, x.shape().last()));
    g.add(new Upsample(x, y, s));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new UpsampleBackward(g.of(y).orElseThrow(), dx, setting));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_upsample_fwd(
            d.handle(),
            at.of(x),
            at.of(y),
            setting.images(),
            setting.height(),
            setting.width(),
            setting.outHeight(),
            setting.outWidth(),
            x.shape().last(),
            x.dtype().code));
  }

  record UpsampleBackward(Value dy, @Out Value dx, Setting setting) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_upsample_bwd(
              d.handle(),
              at.of(dy),
              at.of(dx),
              setting.images(),
              setting.height(),
              setting.width(),
              setting.outHeight(),
              setting.outWidth(),
              dx.shape().last(),
              dx.dtype().code));
    }
  }
}
