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
 * {@link ShortConv} of new tokens x [T, C], for generation: tail [K - 1, C] holds those before
 * them, and afterwards the last of them. No backward.
 *
 * @param start [1] i32, how many tokens were before; 0 where the tail holds nothing yet
 * @param count [1] i32, how many of the T tokens are real
 */
public record CachedShortConv(Value x, Value w, Value start, Value count, Value tail, @Out Value y)
    implements Op {
  public CachedShortConv {
    Values.require(
        w.shape().dim(0) == x.shape().last()
            && tail.shape().size() == (w.shape().last() - 1) * x.shape().last()
            && tail.dtype() == x.dtype(),
        "cached_short_conv",
        x,
        w,
        tail);
  }

  public static Value of(
      Graph g, String name, Value x, Value w, Value start, Value count, Value tail) {
    Value y = g.like(x, name);
    g.add(new CachedShortConv(x, w, start, count, tail, y));
    return y;
  }

  @Override
  public void backward(Grads g) {
    throw new UnsupportedOperationException("generation has no backward");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_cached_short_conv_fwd(
            d.handle(),
            at.of(x),
            at.of(w),
            at.of(start),
            at.of(count),
            at.of(tail),
            at.of(y),
            x.shape().rows(),
            x.shape().last(),
            w.shape().last(),
            x.dtype().code));
  }
}
