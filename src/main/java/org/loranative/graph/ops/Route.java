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
import org.loranative.io.DType;

/**
 * The k experts of a mixture that each token goes to: those of the largest softmax of {@code
 * logits} [M, E], of equal ones the lower expert first. The choice has no gradient, the weights
 * have.
 *
 * @param weights [M, k] f32, a token's softmax at its experts
 * @param chosen [M, k] i32, its experts
 * @param order [M k] i32, the slot m k + j of each row, rows being sorted by expert
 * @param place [M k] i32, the row of each slot
 * @param offsets [E + 1] i32, where each expert's rows begin
 * @param normalize whether a token's weights are divided by their sum
 */
public record Route(
    Value logits,
    @Out Value weights,
    @Out Value chosen,
    @Out Value order,
    @Out Value place,
    @Out Value offsets,
    boolean normalize)
    implements Op, Routed {
  /** More than any model chooses: what a warp has lanes. */
  public static final int MOST_CHOSEN = 32;

  public Route {
    long chosenExperts = weights.shape().last();
    Values.require(
        chosenExperts <= logits.shape().last() && chosenExperts <= MOST_CHOSEN,
        "route",
        logits,
        weights);
  }

  public static Route of(Graph g, Value logits, long k, boolean normalize) {
    long tokens = logits.shape().rows();
    Route route =
        new Route(
            logits,
            g.temp("expert_weights", DType.F32, Shape.of(tokens, k)),
            g.temp("experts", DType.I32, Shape.of(tokens, k)),
            g.temp("expert_order", DType.I32, Shape.of(tokens * k)),
            g.temp("expert_place", DType.I32, Shape.of(tokens * k)),
            g.temp("expert_offsets", DType.I32, Shape.of(logits.shape().last() + 1)),
            normalize);
    g.add(route);
    return route;
  }

  @Override
  public void backward(Grads g) {
    Value dlogits = g.newGradient(logits);
    g.emit(
        new RouteBackward(
            g.of(weights).orElseThrow(), logits, weights, chosen, dlogits, normalize));
    g.add(logits, dlogits);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_route_fwd(
            d.handle(),
            at.of(logits),
            at.of(weights),
            at.of(chosen),
            at.of(order),
            at.of(place),
            at.of(offsets),
            logits.shape().rows(),
            logits.shape().last(),
            weights.shape().last(),
            normalize ? 1 : 0,
            logits.dtype().code));
  }

  record RouteBackward(
      Value dweights,
      Value logits,
      Value weights,
      Value chosen,
      @Out Value dlogits,
      boolean normalize)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_route_bwd(
              d.handle(),
              at.of(dweights),
              at.of(logits),
              at.of(weights),
              at.of(chosen),
              at.of(dlogits),
              logits.shape().rows(),
              logits.shape().last(),
              weights.shape().last(),
              normalize ? 1 : 0,
              logits.dtype().code));
    }
  }
}
