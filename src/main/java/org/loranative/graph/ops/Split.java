package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/**
 * Cuts the columns of x [M, c0 + c1 (+ c2)] into two or three parts (a fused projection), or joins
 * them (a skip connection); each is the other's backward.
 *
 * @param groups in which the parts alternate: a row is the first group's columns of each part, then
 *     the next one's
 */
public record Split(Value x, List<Value> parts, boolean join, long groups) implements Op {
  public Split {
    parts = List.copyOf(parts);
    long columns = parts.stream().mapToLong(p -> p.shape().last()).sum();
    Values.require(columns == x.shape().last() && parts.size() <= 3, "split", x, parts);
    Values.require(
        parts.stream().allMatch(p -> p.shape().last() % groups == 0), "split", parts, groups);
  }

  public static List<Value> of(Graph g, Value x, long... columns) {
    return ofGroups(g, x, 1, columns);
  }

  /**
   * Parts that alternate in groups: heads, each with something of every part.
   *
   * @param columns of each part, of all groups together
   */
  public static List<Value> ofGroups(Graph g, Value x, long groups, long... columns) {
    List<Value> parts = new ArrayList<>();
    for (long c : columns) {
      parts.add(
          g.temp(x.name() + "[" + parts.size() + "]", x.dtype(), Shape.of(x.shape().rows(), c)));
    }
    g.add(new Split(x, parts, false, groups));
    return parts;
  }

  /** The parts side by side. */
  public static Value join(Graph g, List<Value> parts) {
    Value first = parts.get(0);
    long columns = parts.stream().mapToLong(p -> p.shape().last()).sum();
    Value x = g.temp("joined", first.dtype(), Shape.of(first.shape().rows(), columns));
    g.add(new Split(x, parts, true, 1));
    return x;
  }

  @Override
  public List<Value> inputs() {
    return join ? parts : List.of(x);
  }

  @Override
  public List<Value> outputs() {
    return join ? List.of(x) : parts;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    if (join) {
      List<Value> gradients = parts.stream().map(g::newGradient).toList();
      g.emit(new Split(g.of(x).orElseThrow(), gradients, false, groups));
      for (int i = 0; i < parts.size(); i++) {
        if (g.wants(parts.get(i))) {
          g.add(parts.get(i), gradients.get(i));
        }
      }
      return;
    }
    Value dx = g.newGradient(x);
    g.emit(new Split(dx, parts.stream().map(p -> g.of(p).orElseThrow()).toList(), true, groups));
    g.add(x, dx);
  }

  @Override
  public void run(Device d, Addresses at) {
    Optional<Value> third = parts.size() > 2 ? Optional.of(parts.get(2)) : Optional.empty();
    long whole = at.of(x);
    long rows = x.shape().rows() * groups;
    long c0 = parts.get(0).shape().last() / groups;
    long c1 = parts.get(1).shape().last() / groups;
    long c2 = third.map(p -> p.shape().last()).orElse(0L) / groups;
    long y0 = at.of(parts.get(0));
    long y1 = at.of(parts.get(1));
    long y2 = at.of(third);
    int dtype = x.dtype().code;
    d.check(
        join
            ? LoraOps.ln_concat_fwd(d.handle(), y0, y1, y2, whole, rows, c0, c1, c2, dtype)
            : LoraOps.ln_split_fwd(d.handle(), whole, y0, y1, y2, rows, c0, c1, c2, dtype));
  }
}
