package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/**
 * What a block of a transformer of images adds (Peebles and Xie 2023): {@code y = x + gate[b] z}
 * for x, z, y [B·N, C] and gate [B, C].
 */
public record GatedAdd(Value x, Value z, Value gate, @Out Value y) implements Op {
  public GatedAdd {
    Values.require(
        x.shape().equals(z.shape())
            && x.shape().last() == gate.shape().last()
            && x.shape().rows() % gate.shape().rows() == 0,
        "gated_add",
        x,
        z,
        gate);
  }

  public static Value of(Graph g, String name, Value x, Value z, Value gate) {
    Value y = g.like(x, name);
    g.add(new GatedAdd(x, z, gate, y));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (g.wants(gate)) {
      Value dgate = g.newGradient(gate);
      g.emit(new GateBackward(dy, z, dgate));
      g.add(gate, dgate);
    }
    if (g.wants(z)) {
      Value dz = g.newGradient(z);
      g.emit(new GatedAddBackward(dy, gate, dz));
      g.add(z, dz);
    }
    if (g.wants(x)) {
      g.add(x, dy);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    long images = gate.shape().rows();
    d.check(
        LoraOps.ln_gated_add_fwd(
            d.handle(),
            at.of(x),
            at.of(z),
            at.of(gate),
            at.of(y),
            images,
            x.shape().rows() / images,
            x.shape().last(),
            x.dtype().code));
  }

  record GatedAddBackward(Value dy, Value gate, @Out Value dz) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      long images = gate.shape().rows();
      d.check(
          LoraOps.ln_gated_add_bwd(
              d.handle(),
              at.of(dy),
              at.of(gate),
              at.of(dz),
              images,
              dy.shape().rows() / images,
              dy.shape().last(),
              dy.dtype().code));
    }
  }

  record GateBackward(Value dy, Value z, @Out Value dgate) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      long images = dgate.shape().rows();
      d.check(
          LoraOps.ln_gated_add_weight_bwd(
              d.handle(),
              at.of(dy),
              at.of(z),
              at.of(dgate),
              images,
              dy.shape().rows() / images,
              dy.shape().last(),
              dy.dtype().code));
    }
  }
}
