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
 * What a token's experts say together: {@code y[m] = Σ_j weights[m, j] x[place[m, j]]}, in the
 * order of j; x [M k, C], y [M, C], weights [M, k] f32, order and place as {@link Route} makes
 * them.
 */
public record CombineRows(Value x, Value order, Value place, Value weights, @Out Value y)
    implements Op {
  public CombineRows {
    Values.require(
        x.shape().rows() == weights.shape().size() && x.shape().last() == y.shape().last(),
        "combine_rows",
        x,
        weights);
  }

  public static Value of(Graph g, Value x, Routed route) {
    Value y =
        g.temp(
            "experts_sum", x.dtype(), Shape.of(route.weights().shape().dim(0), x.shape().last()));
    g.add(new CombineRows(x, route.order(), route.place(), route.weights(), y));
    return y;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (g.wants(weights)) {
      Value dweights = g.newGradient(weights);
      g.emit(new CombineRowsWeightBackward(dy, x, place, dweights));
      g.add(weights, dweights);
    }
    if (g.wants(x)) {
      Value dx = g.newGradient(x);
      g.emit(new CombineRowsBackward(dy, order, weights, dx));
      g.add(x, dx);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_combine_rows_fwd(
            d.handle(),
            at.of(x),
            at.of(place),
            at.of(weights),
            at.of(y),
            weights.shape().dim(0),
            weights.shape().dim(1),
            x.shape().last(),
            x.dtype().code));
  }

  record CombineRowsBackward(Value dy, Value order, Value weights, @Out Value dx)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_gather_rows_fwd(
              d.handle(),
              at.of(dy),
              at.of(order),
              at.of(weights),
              at.of(dx),
              dx.shape().rows(),
              weights.shape().dim(1),
              dx.shape().last(),
              dx.dtype().code));
    }
  }

  record CombineRowsWeightBackward(Value dy, Value x, Value place, @Out Value dweights)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_combine_rows_weight_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(place),
              at.of(dweights),
              dweights.shape().dim(0),
              dweights.shape().dim(1),
              x.shape().last(),
              x.dtype().code));
    }
  }
}
