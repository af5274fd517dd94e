package org.loranative.graph.ops;

import java.util.List;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/**
 * For each group of a batch, the rows of a first and then those of a second matrix: a [B·N, C] and
 * b [B·M, C] into ab [B·(N + M), C]; or cuts them apart again, which is the backward.
 */
public record JoinRows(Value a, Value b, Value ab, long groups, boolean join) implements Op {
  public JoinRows {
    Values.require(
        a.shape().last() == b.shape().last()
            && a.shape().last() == ab.shape().last()
            && a.shape().rows() + b.shape().rows() == ab.shape().rows()
            && a.shape().rows() % groups == 0
            && b.shape().rows() % groups == 0,
        "join_rows",
        a,
        b,
        ab,
        groups);
  }

  public static Value of(Graph g, Value a, Value b, long groups) {
    Value ab =
        g.temp(
            "joined", a.dtype(), Shape.of(a.shape().rows() + b.shape().rows(), a.shape().last()));
    g.add(new JoinRows(a, b, ab, groups, true));
    return ab;
  }

  /**
   * The two again.
   *
   * @param rows of each group that are the first's
   */
  public static List<Value> split(Graph g, Value ab, long rows, long groups) {
    long width = ab.shape().last();
    Value a = g.temp(ab.name() + "[0]", ab.dtype(), Shape.of(groups * rows, width));
    Value b =
        g.temp(ab.name() + "[1]", ab.dtype(), Shape.of(ab.shape().rows() - groups * rows, width));
    g.add(new JoinRows(a, b, ab, groups, false));
    return List.of(a, b);
  }

  @Override
  public List<Value> inputs() {
    return join ? List.of(a, b) : List.of(ab);
  }

  @Override
  public List<Value> outputs() {
    return join ? List.of(ab) : List.of(a, b);
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    if (join) {
      Value da = g.newGradient(a);
      Value db = g.newGradient(b);
      g.emit(new JoinRows(da, db, g.of(ab).orElseThrow(), groups, false));
      if (g.wants(a)) {
        g.add(a, da);
      }
      if (g.wants(b)) {
        g.add(b, db);
      }
      return;
    }
    Value dab = g.newGradient(ab);
    g.emit(new JoinRows(g.of(a).orElseThrow(), g.of(b).orElseThrow(), dab, groups, true));
    g.add(ab, dab);
  }

  @Override
  public void run(Device d, Addresses at) {
    long first = a.shape().size() / groups;
    long second = b.shape().size() / groups;
    long whole = at.of(ab);
    int dtype = ab.dtype().code;
    d.check(
        join
            ? LoraOps.ln_concat_fwd(
                d.handle(), at.of(a), at.of(b), 0, whole, groups, first, second, 0, dtype)
            : LoraOps.ln_split_fwd(
                d.handle(), whole, at.of(a), at.of(b), 0, groups, first, second, 0, dtype));
  }
}
