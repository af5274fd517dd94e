package org.loranative.graph.ops;

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
 * Convolution of images x [B·H·W, I] to y [B·outH·outW, O]: w [O, kernel, kernel, I], frozen or
 * made in the graph, bias [O] f32 if the layer has one.
 */
public record Conv2d(Value x, Value w, Optional<Value> bias, @Out Value y, Setting setting)
    implements Op {
  /**
   * @param images B
   * @param pad zeros before each row and column; after them as many as outHeight and outWidth need
   */
  public record Setting(
      long images,
      long height,
      long width,
      long outHeight,
      long outWidth,
      long kernel,
      long stride,
      long pad) {
    /** The usual padding on both sides: (kernel − 1) / 2. */
    public static Setting same(long images, long height, long width, long kernel, long stride) {
      long pad = (kernel - 1) / 2;
      return new Setting(
          images,
          height,
          width,
          (height + 2 * pad - kernel) / stride + 1,
          (width + 2 * pad - kernel) / stride + 1,
          kernel,
          stride,
          pad);
    }
  }

  public Conv2d {
    Values.require(
        x.shape().rows() == setting.images() * setting.height() * setting.width()
            && w.shape().size()
                == w.shape().dim(0) * setting.kernel() * setting.kernel() * x.shape().last()
            && x.dtype() == w.dtype(),
        "conv2d",
        x,
        w);
  }

  public static Value of(
      Graph g, String name, Value x, Value w, Optional<Value> bias, Setting setting) {
    long rows = setting.images() * setting.outHeight() * setting.outWidth();
    Value y = g.temp(name, x.dtype(), Shape.of(rows, w.shape().dim(0)));
    g.add(new Conv2d(x, w, bias, y, setting));
    return y;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (g.wants(x)) {
      Value dx = g.newGradient(x);
      g.emit(new Conv2dBackward(dy, g.again(w), dx, setting));
      g.add(x, dx);
    }
    if (g.wants(w)) {
      Value dw = g.weightGradient(w);
      g.emit(new Conv2dWeightBackward(dy, x, dw, setting));
      g.add(w, dw);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_conv2d_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(bias),
            at.of(y),
            setting.images(),
            setting.height(),
            setting.width(),
            x.shape().last(),
            setting.outHeight(),
            setting.outWidth(),
            w.shape().dim(0),
            setting.kernel(),
            setting.stride(),
            setting.pad(),
            x.dtype().code));
  }

  record Conv2dBackward(Value dy, Value w, @Out Value dx, Setting setting) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_conv2d_bwd(
              d.handle(),
              at.of(dy),
              at.of(w),
              at.of(dx),
              setting.images(),
              setting.height(),
              setting.width(),
              dx.shape().last(),
              setting.outHeight(),
              setting.outWidth(),
              w.shape().dim(0),
              setting.kernel(),
              setting.stride(),
              setting.pad(),
              dx.dtype().code));
    }
  }

  /** The gradient of a made weight. */
  record Conv2dWeightBackward(Value dy, Value x, @Out Value dw, Setting setting)
      implements Backward {
    @Override
    public long scratchBytes(Device d) {
      return LoraOps.ln_conv2d_weight_scratch(
          d.handle(),
          setting.images(),
          x.shape().last(),
          setting.outHeight(),
          setting.outWidth(),
          x.dtype().code);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_conv2d_weight_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(dw),
              at.scratch(),
              setting.images(),
              setting.height(),
              setting.width(),
              x.shape().last(),
              setting.outHeight(),
              setting.outWidth(),
              dy.shape().last(),
              setting.kernel(),
              setting.stride(),
              setting.pad(),
              x.dtype().code));
    }
  }
}
