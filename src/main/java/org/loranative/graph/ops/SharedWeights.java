package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Recompute;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Trades memory for arithmetic where {@link Recompute} has done the reverse: a frozen matrix in
 * blocks that a block's repeated product and its backward both multiply with is dequantized once,
 * before the first of them, and both read its numbers.
 */
public final class SharedWeights {
  private SharedWeights() {}

  /** Blocks in which {@code device} is faster with shared matrices, in the order of forward. */
  public static List<String> blocks(Graph graph, Device device) {
    Collection<String> sharing = shared(backward(graph), p -> p.shares(device)).values();
    return Recompute.blocks(graph).stream().filter(sharing::contains).toList();
  }

  /** The graph with the matrices of those blocks shared that {@code device} is faster with. */
  public static Graph apply(Graph graph, Set<String> blocks, Device device) {
    return apply(graph, blocks, (FrozenProduct p) -> p.shares(device));
  }

  static Graph apply(Graph graph, Set<String> blocks, Predicate<FrozenProduct> shares) {
    List<Graph.Node> backward = backward(graph);
    Map<Value, String> shared = shared(backward, shares);
    shared.values().retainAll(blocks);
    List<Graph.Node> result =
        new ArrayList<>(graph.nodes().subList(0, graph.nodes().size() - backward.size()));
    Graph target = graph.with(result);
    Map<Value, Value> numbers = new HashMap<>();
    for (Graph.Node node : backward) {
      Op op = node.op();
      if (op instanceof FrozenProduct p && multiplies(p) && shared.containsKey(p.w0())) {
        Value w = p.w0();
        DType dtype = p.multiplied().orElseThrow().dtype();
        if (!numbers.containsKey(w)) {
          target.block(node.block(), () -> numbers.put(w, DequantizeMatrix.of(target, w, dtype)));
        }
        op = op.rebind(v -> v.equals(w) ? numbers.get(w) : v);
      }
      result.add(new Graph.Node(op, node.block()));
    }
    return target;
  }

  private static List<Graph.Node> backward(Graph graph) {
    List<Graph.Node> nodes = graph.nodes();
    return nodes.subList(Recompute.lossIndex(nodes) + 1, nodes.size());
  }

  private static boolean multiplies(FrozenProduct p) {
    return p.w0().dtype().isBlocks() && p.multiplied().isPresent();
  }

  /**
   * Matrices that several products behind the loss read, all of which share, with the block of the
   * first, which is repeated.
   */
  private static Map<Value, String> shared(
      List<Graph.Node> backward, Predicate<FrozenProduct> shares) {
    Map<Value, String> first = new HashMap<>();
    Set<Value> again = new HashSet<>();
    Set<Value> apart = new HashSet<>();
    for (Graph.Node node : backward) {
      if (node.op() instanceof FrozenProduct p && multiplies(p)) {
        if (first.putIfAbsent(p.w0(), node.block()) != null) {
          again.add(p.w0());
        }
        if (!shares.test(p)) {
          apart.add(p.w0());
        }
      }
    }
    first.keySet().retainAll(again);
    first.keySet().removeAll(apart);
    return first;
  }
}
