package org.loranative.graph.ops;

import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Value;

/** {@code y = act(x)}, elementwise. */
public record Activation(Value x, Value y, Act act) implements Op {
  public static Value of(Graph g, Value x, Act act) {
    Value y = g.like(x, act.name().toLowerCase(Locale.ROOT));
    g.add(new Activation(x, y, act));
    return y;
  }

  @Override
  public List<Value> inputs() {
    return List.of(x);
  }

  @Override
  public List<Value> outputs() {
    return List.of(y);
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
  public Activation rebind(UnaryOperator<Value> f) {
    return new Activation(f.apply(x), f.apply(y), act);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_activation_fwd(
            d.handle(), at.of(x), at.of(y), x.shape().size(), act.code, x.dtype().code));
  }

  record ActivationBackward(Value dy, Value x, Value dx, Act act) implements Backward {
    @Override
    public List<Value> inputs() {
      return List.of(dy, x);
    }

    @Override
    public List<Value> outputs() {
      return List.of(dx);
    }

    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dx, dy, false));
    }

    @Override
    public ActivationBackward rebind(UnaryOperator<Value> f) {
      return new ActivationBackward(f.apply(dy), f.apply(x), f.apply(dx), act);
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
