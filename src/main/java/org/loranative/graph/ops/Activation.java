package org.loranative.graph.ops;

import java.util.List;
import java.util.Locale;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/** {@code y = act(x)}, elementwise. */
public record Activation(Value x, @Out Value y, Act act) implements Op {
  public static Value of(Graph g, Value x, Act act) {
    Value y = g.like(x, act.name().toLowerCase(Locale.ROOT));
    g.add(new Activation(x, y, act));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new ActivationBackward(g.of(y).orElseThrow(), x, dx, act));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_activation_fwd(
            d.handle(), at.of(x), at.of(y), x.shape().size(), act.code, x.dtype().code));
  }

  record ActivationBackward(Value dy, Value x, @Out Value dx, Act act) implements Backward {
    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dx, dy, false));
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_activation_bwd(
              d.handle(),
              at.of(dy),
              at.of(x),
              at.of(dx),
              x.shape().size(),
              act.code,
              x.dtype().code));
    }
  }
}
