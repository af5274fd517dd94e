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

/** {@code y = factor x + shift}, elementwise. */
public record Affine(Value x, @Out Value y, float factor, float shift) implements Op {

  /** Appends the op; returns y, of the shape of {@code x}. */
  public static Value of(Graph g, Value x, float factor, float shift) {
    Value y = g.like(x, "affine");
    g.add(new Affine(x, y, factor, shift));
    return y;
  }

  @Override
  public List<Reuse> reuses() {
    return List.of(new Reuse(y, x, false));
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dx = g.newGradient(x);
    g.emit(new AffineBackward(g.of(y).orElseThrow(), dx, factor));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    run(d, at, x, y, factor, shift);
  }

  private static void run(Device d, Addresses at, Value x, Value y, float factor, float shift) {
    d.check(
        LoraOps.ln_affine_fwd(
            d.handle(), at.of(x), at.of(y), y.shape().size(), factor, shift, y.dtype().code));
  }

  /** {@code dx = factor dy}. */
  record AffineBackward(Value dy, @Out Value dx, float factor) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      Affine.run(d, at, dy, dx, factor, 0);
    }
  }
}
