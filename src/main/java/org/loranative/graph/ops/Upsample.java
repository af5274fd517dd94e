package org.loranative.graph.ops;

import java.util.List;
import java.util.function.UnaryOperator;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/** Doubles images x [B·H·W, C] in both directions, each pixel four times. */
public record Upsample(Value x, Value y, long images, long height, long width) implements Op {
  public Upsample {
    Values.require(x.shape().rows() == images * height * width, "upsample", x);
  }

  public static Value of(Graph g, Value x, long images, long height, long width) {
    Value y = g.temp("upsampled", x.dtype(), Shape.of(x.shape().rows() * 4, x.shape().last()));
    g.add(new Upsample(x, y, images, height, width));
    return y;
  }

  @Override
  public List<Value> inputs() {
    return List.of(x);
  }

  @Override
  public List<Value> outputs() {
    return List.of(y);
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new UpsampleBackward(g.of(y).orElseThrow(), dx, images, height, width));
    g.add(x, dx);
  }

  @Override
  public Upsample rebind(UnaryOperator<Value> f) {
    return new Upsample(f.apply(x), f.apply(y), images, height, width);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_upsample_fwd(
            d.handle(),
            at.of(x),
            at.of(y),
            images,
            height,
            width,
            x.shape().last(),
            x.dtype().code));
  }

  record UpsampleBackward(Value dy, Value dx, long images, long height, long width)
      implements Backward {
    @Override
    public List<Value> inputs() {
      return List.of(dy);
    }

    @Override
    public List<Value> outputs() {
      return List.of(dx);
    }

    @Override
    public UpsampleBackward rebind(UnaryOperator<Value> f) {
      return new UpsampleBackward(f.apply(dy), f.apply(dx), images, height, width);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_upsample_bwd(
              d.handle(),
              at.of(dy),
              at.of(dx),
              images,
              height,
              width,
              dx.shape().last(),
              dx.dtype().code));
    }
  }
}
