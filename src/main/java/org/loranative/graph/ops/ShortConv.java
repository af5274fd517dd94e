package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/**
 * A causal convolution of each channel by itself over its document, with SiLU (Gu and Dao 2023): x,
 * y [M, C], w [C, K] f32.
 *
 * @param docStart [M] i32, the first token of each token's document
 */
public record ShortConv(Value x, Value w, Value docStart, @Out Value y) implements Op {
  public ShortConv {
    Values.require(
        w.shape().dim(0) == x.shape().last() && docStart.shape().size() == x.shape().rows(),
        "short_conv",
        x,
        w,
        docStart);
  }

  public static Value of(Graph g, String name, Value x, Value w, Value docStart) {
    Value y = g.like(x, name);
    g.add(new ShortConv(x, w, docStart, y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new ShortConvBackward(g.of(y).orElseThrow(), x, w, docStart, dx));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_short_conv_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(docStart),
            at.of(y),
            x.shape().rows(),
            x.shape().last(),
            w.shape().last(),
            x.dtype().code));
  }

  record ShortConvBackward(Value dy, Value x, Value w, Value docStart, @Out Value dx)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_short_conv_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(w),
              at.of(docStart),
              at.of(dx),
              x.shape().rows(),
              x.shape().last(),
              w.shape().last(),
              x.dtype().code));
    }
  }
}
