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
 * Gated linear unit {@code y = act(gate) up} (Shazeer 2020) whose gate and up are the halves of one
 * projection's columns: both [M, 2F], y [M, F]. Nothing is copied to part them.
 *
 * @param gateFirst whether gate is the first half (Phi-3) or the second (diffusers' GEGLU)
 */
public record PackedGlu(Value both, boolean gateFirst, @Out Value y, Act act) implements Op {
  public PackedGlu {
    Values.require(both.shape().last() == 2 * y.shape().last(), "packed_glu", both, y);
  }

  public static Value of(Graph g, Value both, boolean gateFirst, Act act) {
    long columns = both.shape().last() / 2;
    Value y = g.temp("glu", both.dtype(), Shape.of(both.shape().rows(), columns));
    g.add(new PackedGlu(both, gateFirst, y, act));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dboth = g.newGradient(both);
    g.emit(new PackedGluBackward(g.of(y).orElseThrow(), both, gateFirst, dboth, act));
    g.add(both, dboth);
  }

  /** Where the gate, or the other half, begins. */
  private static long half(Addresses at, Value both, boolean first) {
    return at.of(both) + (first ? 0 : both.dtype().bytes(both.shape().last() / 2));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_glu_fwd(
            d.handle(),
            half(at, both, gateFirst),
            half(at, both, !gateFirst),
            at.of(y),
            y.shape().rows(),
            y.shape().last(),
            both.shape().last(),
            act.code,
            y.dtype().code));
  }

  record PackedGluBackward(Value dy, Value both, boolean gateFirst, @Out Value dboth, Act act)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_glu_bwd(
              d.handle(),
              at.of(dy),
              half(at, both, gateFirst),
              half(at, both, !gateFirst),
              half(at, dboth, gateFirst),
              half(at, dboth, !gateFirst),
              dy.shape().rows(),
              dy.shape().last(),
              both.shape().last(),
              act.code,
              dy.dtype().code));
    }
  }
}
