package org.loranative.graph.ops;

import java.util.List;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/** {@code y = a + b}, elementwise. */
public record Add(Value a, Value b, @Out Value y) implements Op {
  public Add {
    Values.require(a.shape().equals(b.shape()) && a.dtype() == b.dtype(), "add", a, b);
  }

  /** Appends the op; returns y, of the shape of {@code a} and {@code b}. */
  public static Value of(Graph g, Value a, Value b) {
    Add op = new Add(a, b, g.like(a, "sum"));
    g.add(op);
    return op.y;
  }

  @Override
  public List<Reuse> reuses() {
    return List.of(new Reuse(y, a, false));
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    for (Value v : inputs()) {
      if (g.wants(v)) {
        g.add(v, dy);
      }
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_add_fwd(
            d.handle(), at.of(a), at.of(b), at.of(y), y.shape().size(), y.dtype().code));
  }
}
