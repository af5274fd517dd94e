package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/** {@code y = x} in another dtype; one of the two is f32. */
public record Cast(Value x, @Out Value y) implements Op {
  public Cast {
    Values.require(
        x.shape().equals(y.shape()) && (x.dtype() == DType.F32 || y.dtype() == DType.F32),
        "cast",
        x,
        y);
  }

  /** x itself where it has the dtype already. */
  public static Value of(Graph g, Value x, DType dtype) {
    if (x.dtype() == dtype) {
      return x;
    }
    Value y = g.temp(x.name() + "." + dtype, dtype, x.shape());
    g.add(new Cast(x, y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new CastBackward(g.of(y).orElseThrow(), dx));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    cast(d, at, x, y);
  }

  private static void cast(Device d, Addresses at, Value from, Value to) {
    d.check(
        LoraOps.ln_cast_fwd(
            d.handle(),
            at.of(from),
            from.dtype().code,
            at.of(to),
            to.dtype().code,
            from.shape().size()));
  }

  /** The gradient in x's dtype. */
  record CastBackward(Value dy, @Out Value dx) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      cast(d, at, dy, dx);
    }
  }
}
