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

/**
 * Rotates each head of x [M, heads·headDim] by its token's angles (Su et al. 2021); inverse rotates
 * back, which is the backward.
 */
public record Rope(
    Value x, Value table, @Out Value y, long headDim, Pairing pairing, boolean inverse)
    implements Op {

  /** Which two channels of a head are turned as one. */
  public enum Pairing {
    /** One of each half of those that are turned: Hugging Face's form. */
    HALVES,
    /** Neighbours, as in the paper. */
    NEIGHBOURS
  }

  public Rope {
    if (table.shape().last() > headDim || x.shape().last() % headDim != 0) {
      throw new IllegalArgumentException(
          table.shape() + " angles do not fit heads of " + headDim + " in " + x.shape());
    }
  }

  public static Value of(Graph g, Value x, Value table, long headDim, Pairing pairing) {
    Value y = g.like(x, x.name() + ".rope");
    g.add(new Rope(x, table, y, headDim, pairing, false));
    return y;
  }

  long heads() {
    return x.shape().last() / headDim;
  }

  /** Whether it turns all channels of heads that are rows as long as {@code w}. */
  boolean turnsWhole(Value w, boolean back) {
    return inverse == back
        && pairing == Pairing.HALVES
        && headDim == w.shape().size()
        && headDim == table.shape().last();
  }

  /** The same rotation of other values. */
  Rope of(Value from, Value to) {
    return new Rope(from, table, to, headDim, pairing, inverse);
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
    if (g.wants(x)) {
      Value dx = g.newGradient(x);
      g.emit(new Rope(g.of(y).orElseThrow(), table, dx, headDim, pairing, !inverse));
      g.add(x, dx);
    }
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_rope_fwd(
            d.handle(),
            at.of(x),
            at.of(table),
            at.of(y),
            x.shape().dim(0),
            heads(),
            headDim,
            table.shape().last() / 2,
            pairing == Pairing.NEIGHBOURS ? 1 : 0,
            inverse ? 1 : 0,
            x.dtype().code));
  }
}
