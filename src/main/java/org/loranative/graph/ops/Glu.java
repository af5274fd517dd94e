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

/** Gated linear unit {@code y = act(gate) up} (Shazeer 2020), all [M, F]. */
public record Glu(Value gate, Value up, @Out Value y, Act act) implements Op {
  public Glu {
    Values.require(gate.shape().equals(up.shape()), "glu", gate, up);
  }

  public static Value of(Graph g, Value gate, Value up, Act act) {
    Value y = g.like(gate, "glu");
    g.add(new Glu(gate, up, y, act));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dgate = g.newGradient(gate);
    Value dup = g.newGradient(up);
    g.emit(new GluBackward(g.of(y).orElseThrow(), gate, up, dgate, dup, act));
    g.add(gate, dgate);
    g.add(up, dup);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_glu_fwd(
            d.handle(),
            at.of(gate),
            at.of(up),
            at.of(y),
            1,
            y.shape().size(),
            y.shape().size(),
            act.code,
            y.dtype().code));
  }

  /** The code of the unit's activation, 0 without one. */
  static int code(Optional<Glu> unit) {
    return unit.map(u -> u.act.code).orElse(0);
  }

  /** This unit where a product makes {@code made}, if that is what the gate is multiplied with. */
  Optional<Glu> behind(Value made) {
    return Optional.of(this).filter(u -> u.up.equals(made) && !u.gate.equals(made));
  }

  record GluBackward(Value dy, Value gate, Value up, @Out Value dgate, @Out Value dup, Act act)
      implements Backward {
    @Override
    public List<Reuse> reuses() {
      return List.of(new Reuse(dup, dy, false), new Reuse(dgate, gate, false));
    }

    /** The code of the unit's activation, 0 without one. */
    static int code(Optional<GluBackward> unit) {
      return unit.map(u -> u.act.code).orElse(0);
    }

    /** This where a product makes {@code made}: dy then is what it finds in dup's place. */
    Optional<GluBackward> behind(Value made) {
      return dy.equals(made)
          ? Optional.of(new GluBackward(dup, gate, up, dgate, dup, act))
          : Optional.empty();
    }

    /** What of {@link #reuses} is left where the product writes dy to dup's place. */
    List<Reuse> reusesBehind() {
      return List.of(new Reuse(dgate, gate, false));
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_glu_bwd(
              d.handle(),
              at.of(dy),
              at.of(gate),
              at.of(up),
              at.of(dgate),
              at.of(dup),
              1,
              gate.shape().size(),
              gate.shape().size(),
              act.code,
              gate.dtype().code));
    }
  }
}
