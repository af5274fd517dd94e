package org.loranative.graph.ops;

import java.util.List;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/**
 * Biases of a mixture's experts: {@code y[r] = x[r] + bias[e]} where row r is expert e's.
 *
 * @param x [R, C] in the order of experts
 * @param bias frozen [E, C] f32
 * @param chosen [M, k] i32, the expert of each slot
 * @param order [R] i32, the slot of each row
 */
public record ExpertBias(Value x, Value bias, Value chosen, Value order, @Out Value y)
    implements Op {
  public ExpertBias {
    Values.require(x.shape().last() == bias.shape().last(), "expert_bias", x, bias);
  }

  public static Value of(Graph g, String name, Value x, Value bias, Routed route) {
    Value y = g.like(x, name);
    g.add(new ExpertBias(x, bias, route.chosen(), route.order(), y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public List<Reuse> reuses() {
    return List.of(new Reuse(y, x, false));
  }

  @Override
  public void backward(Grads g) {
    Optional<Value> dy = g.of(y);
    if (g.wants(x)) {
      g.add(x, dy.orElseThrow());
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_expert_bias_fwd(
            d.handle(),
            at.of(x),
            at.of(bias),
            at.of(chosen),
            at.of(order),
            at.of(y),
            x.shape().rows(),
            x.shape().last(),
            x.dtype().code));
  }
}
