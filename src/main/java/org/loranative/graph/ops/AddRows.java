package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/** Adds row b of t [B, C] to every pixel of image b: x, y [B·N, C]. */
public record AddRows(Value x, Value t, @Out Value y) implements Op {
  public AddRows {
    Values.require(
        x.shape().last() == t.shape().last() && x.shape().rows() % t.shape().rows() == 0,
        "add_rows",
        x,
        t);
  }

  public static Value of(Graph g, Value x, Value t) {
    Value y = g.like(x, "add_rows");
    g.add(new AddRows(x, t, y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (g.wants(t)) {
      Value dt = g.newGradient(t);
      g.emit(new AddRowsBackward(dy, dt));
      g.add(t, dt);
    }
    if (g.wants(x)) {
      g.add(x, dy);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    long images = t.shape().rows();
    d.check(
        LoraOps.ln_add_rows_fwd(
            d.handle(),
            at.of(x),
            at.of(t),
            at.of(y),
            images,
            x.shape().rows() / images,
            x.shape().last(),
            x.dtype().code));
  }

  record AddRowsBackward(Value dy, @Out Value dt) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      long images = dt.shape().rows();
      d.check(
          LoraOps.ln_add_rows_bwd(
              d.handle(),
              at.of(dy),
              at.of(dt),
              images,
              dy.shape().rows() / images,
              dt.shape().last(),
              dt.dtype().code));
    }
  }
}
