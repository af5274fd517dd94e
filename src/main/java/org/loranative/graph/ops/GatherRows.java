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
 * Tokens in the order of their experts: {@code y[r] = x[order[r] / k]}; x [M, C], y [M k, C], order
 * and place as {@link Route} makes them.
 */
public record GatherRows(Value x, Value order, Value place, @Out Value y) implements Op {
  public GatherRows {
    Values.require(
        y.shape().rows() == order.shape().size() && x.shape().last() == y.shape().last(),
        "gather_rows",
        x,
        order);
  }

  public static Value of(Graph g, Value x, Routed route) {
    long rows = route.order().shape().size();
    Value y = g.temp("expert_rows", x.dtype(), Shape.of(rows, x.shape().last()));
    g.add(new GatherRows(x, route.order(), route.place(), y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    if (g.wants(x)) {
      Value dx = g.newGradient(x);
      g.emit(new GatherRowsBackward(g.of(y).orElseThrow(), place, dx));
      g.add(x, dx);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_gather_rows_fwd(
            d.handle(),
            at.of(x),
            at.of(order),
            0,
            at.of(y),
            y.shape().rows(),
            y.shape().rows() / x.shape().rows(),
            x.shape().last(),
            x.dtype().code));
  }

  /** A token's gradient is the sum of its rows'. */
  record GatherRowsBackward(Value dy, Value place, @Out Value dx) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_combine_rows_fwd(
              d.handle(),
              at.of(dy),
              at.of(place),
              0,
              at.of(dx),
              dx.shape().rows(),
              dy.shape().rows() / dx.shape().rows(),
              dx.shape().last(),
              dx.dtype().code));
    }
  }
}
