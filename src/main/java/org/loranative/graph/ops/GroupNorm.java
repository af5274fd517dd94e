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
 * Group norm (Wu and He 2018) of images x [B·H·W, C] with frozen w, b [C] f32, and SiLU behind it
 * where asked for; stats [B, groups, 2] f32 (mean, rstd) is saved for backward.
 */
public record GroupNorm(Value x, Value w, Value b, @Out Value y, @Out Value stats, Setting setting)
    implements Op {
  /**
   * @param images B
   */
  public record Setting(long images, long groups, float eps, boolean silu) {}

  public GroupNorm {
    Values.require(
        x.shape().last() == w.shape().size()
            && w.shape().equals(b.shape())
            && x.shape().last() % setting.groups() == 0
            && x.shape().rows() % setting.images() == 0,
        "group_norm",
        x,
        w,
        b);
  }

  public static Value of(Graph g, String name, Value x, Value w, Value b, Setting setting) {
    Value y = g.like(x, name);
    Value stats =
        g.temp(name + ".stats", DType.F32, Shape.of(setting.images(), setting.groups(), 2));
    g.add(new GroupNorm(x, w, b, y, stats, setting));
    return y;
  }

  private static long scratch(Device d, Value x, Setting setting) {
    return LoraOps.ln_group_norm_scratch(
        d.handle(),
        setting.images(),
        x.shape().rows() / setting.images(),
        x.shape().last(),
        setting.groups());
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, x, setting);
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new GroupNormBackward(g.of(y).orElseThrow(), x, w, b, stats, dx, setting));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_group_norm_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(b),
            at.of(y),
            at.of(stats),
            at.scratch(),
            setting.images(),
            x.shape().rows() / setting.images(),
            x.shape().last(),
            setting.groups(),
            setting.eps(),
            setting.silu() ? 1 : 0,
            x.dtype().code));
  }

  record GroupNormBackward(
      Value dy, Value x, Value w, Value b, Value stats, @Out Value dx, Setting setting)
      implements Backward {
    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dx, dy, false));
    }

    @Override
    public long scratchBytes(Device d) {
      return scratch(d, x, setting);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_group_norm_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(w),
              at.of(b),
              at.of(stats),
              at.of(dx),
              at.scratch(),
              setting.images(),
              x.shape().rows() / setting.images(),
              x.shape().last(),
              setting.groups(),
              setting.silu() ? 1 : 0,
              x.dtype().code));
    }
  }
}
