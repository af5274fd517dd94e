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

/**
 * Pixels [B·H·W, C] as tokens [B·H/p·W/p, p·p·C], or back, which is the backward. A token holds its
 * pixels row by row, (i, j, c), as diffusers' SD3 leaves a transformer; or by channel, (c, i, j),
 * as FLUX packs latents.
 */
public record Patchify(Value from, @Out Value to, Setting setting, boolean inverse) implements Op {
  /**
   * @param patch p
   */
  public record Setting(
      long images, long height, long width, long channels, long patch, boolean channelsFirst) {
    Shape pixels() {
      return Shape.of(images * height * width, channels);
    }

    Shape tokens() {
      long area = patch * patch;
      return Shape.of(images * height * width / area, channels * area);
    }
  }

  public Patchify {
    Values.require(
        setting.height() % setting.patch() == 0
            && setting.width() % setting.patch() == 0
            && from.shape().equals(inverse ? setting.tokens() : setting.pixels()),
        "patchify",
        from,
        setting);
  }

  public static Value tokens(Graph g, Value pixels, Setting s) {
    return of(g, pixels, s, false);
  }

  public static Value pixels(Graph g, Value tokens, Setting s) {
    return of(g, tokens, s, true);
  }

  private static Value of(Graph g, Value from, Setting s, boolean inverse) {
    Value to =
        g.temp(inverse ? "pixels" : "patches", from.dtype(), inverse ? s.pixels() : s.tokens());
    g.add(new Patchify(from, to, s, inverse));
    return to;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(from);
    g.emit(new Patchify(g.of(to).orElseThrow(), dx, setting, !inverse));
    g.add(from, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_patchify_fwd(
            d.handle(),
            at.of(from),
            at.of(to),
            setting.images(),
            setting.height(),
            setting.width(),
            setting.channels(),
            setting.patch(),
            setting.channelsFirst() ? 1 : 0,
            inverse ? 1 : 0,
            from.dtype().code));
  }
}
