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
import org.loranative.io.DType;

/**
 * The k experts of a mixture that each token goes to by the sigmoids s of its {@code logits} [M, E]
 * (DeepSeek-V3, GLM-4.5): those of the largest s + bias within the best groups of experts, of equal
 * ones the lower first. What they count is their s. The choice has no gradient, the weights have.
 *
 * @param bias [E] f32, which counts in the choice alone
 * @param chosen [M, k] i32
 */
public record SigmoidRoute(
    Value logits,
    Optional<Value> bias,
    @Out Value weights,
    @Out Value chosen,
    @Out Value order,
    @Out Value place,
    @Out Value offsets,
    Setting setting)
    implements Op, Routed {
  /** More than any model has: what a warp has lanes. */
  public static final int MOST_GROUPS = 32;

  /**
   * @param groups of neighbouring experts, of which the {@code topGroups} best are chosen from: by
   *     the sum of the two largest s + bias in each
   * @param normalize whether a token's weights are divided by their sum
   * @param scale that they are multiplied by
   */
  public record Setting(int groups, int topGroups, boolean normalize, float scale) {}

  public SigmoidRoute {
    long experts = logits.shape().last();
    long k = weights.shape().last();
    Values.require(
        k <= Route.MOST_CHOSEN
            && setting.groups() <= MOST_GROUPS
            && experts % setting.groups() == 0
            && k <= experts / setting.groups() * setting.topGroups(),
        "sigmoid_route",
        logits,
        weights);
  }

  public static SigmoidRoute of(
      Graph g, Value logits, Optional<Value> bias, long k, Setting setting) {
    long tokens = logits.shape().rows();
    SigmoidRoute route =
        new SigmoidRoute(
            logits,
            bias,
            g.temp("expert_weights", DType.F32, Shape.of(tokens, k)),
            g.temp("experts", DType.I32, Shape.of(tokens, k)),
            g.temp("expert_order", DType.I32, Shape.of(tokens * k)),
            g.temp("expert_place", DType.I32, Shape.of(tokens * k)),
            g.temp("expert_offsets", DType.I32, Shape.of(logits.shape().last() + 1)),
            setting);
    g.add(route);
    return route;
  }

  @Override
  public void backward(Grads g) {
    Value dlogits = g.newGradient(logits);
    g.emit(new SigmoidRouteBackward(g.of(weights).orElseThrow(), logits, chosen, dlogits, setting));
    g.add(logits, dlogits);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_sigmoid_route_fwd(
            d.handle(),
            at.of(logits),
            at.of(bias),
            at.of(weights),
            at.of(chosen),
            at.of(order),
            at.of(place),
            at.of(offsets),
            logits.shape().rows(),
            logits.shape().last(),
            weights.shape().last(),
            setting.groups(),
            setting.topGroups(),
            setting.normalize() ? 1 : 0,
            setting.scale(),
            logits.dtype().code));
  }

  record SigmoidRouteBackward(
      Value dweights, Value logits, Value chosen, @Out Value dlogits, Setting setting)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_sigmoid_route_bwd(
              d.handle(),
              at.of(dweights),
              at.of(logits),
              at.of(chosen),
              at.of(dlogits),
              logits.shape().rows(),
              logits.shape().last(),
              chosen.shape().last(),
              setting.normalize() ? 1 : 0,
              setting.scale(),
              logits.dtype().code));
    }
  }
}
