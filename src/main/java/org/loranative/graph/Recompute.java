package org.loranative.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Trades arithmetic for memory: inner values of a block are not kept for backward but computed
 * again, from what entered the block, just before backward first needs them. The same ops run on
 * the same inputs, so gradients are bit-equal with and without it.
 */
public final class Recompute {
  /** How much of a block is computed again. */
  public enum Mode {
    NOTHING,
    /** Only ops that cost little: norms, activations, rotations. */
    CHEAP_OPS,
    EVERYTHING
  }

  /** An op whose outputs are so many times what is read of them is not run again for that. */
  private static final int SMALL_PART = 8;

  private Recompute() {}

  /** Names of the graph's blocks, in order. */
  public static List<String> blocks(Graph graph) {
    return graph.nodes().stream()
        .map(Graph.Node::block)
        .filter(b -> !b.isEmpty())
        .distinct()
        .toList();
  }

  /** The graph with the given blocks recomputed; it must hold forward and backward. */
  public static Graph apply(Graph graph, Map<String, Mode> modes) {
    List<Graph.Node> nodes = graph.nodes();
    int lossAt = lossIndex(nodes);
    Map<Value, Integer> dropped = droppedValues(nodes, lossAt, modes);
    Map<String, Set<Integer>> again = opsToRepeat(nodes, lossAt, dropped);

    List<Graph.Node> result = new ArrayList<>(nodes.subList(0, lossAt + 1));
    Map<Value, Value> replaced = new HashMap<>();
    Set<String> done = new HashSet<>();
    Graph target = graph.with(result);
    for (Graph.Node node : nodes.subList(lossAt + 1, nodes.size())) {
      for (Value v : node.op().inputs()) {
        Integer producer = dropped.get(v);
        if (producer != null && done.add(nodes.get(producer).block())) {
          String block = nodes.get(producer).block();
          for (int i : again.get(block)) {
            Op op = nodes.get(i).op();
            op.outputs().forEach(o -> replaced.put(o, target.like(o, o.name() + "'")));
            Op repeated = op.rebind(x -> replaced.getOrDefault(x, x));
            result.add(new Graph.Node(repeated, block));
            // A kept output was written again beside the original; readers stay with that.
            op.outputs().stream().filter(o -> !dropped.containsKey(o)).forEach(replaced::remove);
          }
        }
      }
      result.add(new Graph.Node(node.op().rebind(x -> replaced.getOrDefault(x, x)), node.block()));
    }
    return target;
  }

  /** Where forward ends: the index of the loss. */
  public static int lossIndex(List<Graph.Node> nodes) {
    for (int i = 0; i < nodes.size(); i++) {
      if (nodes.get(i).op().isLoss()) {
        return i;
      }
    }
    throw new IllegalArgumentException("a graph without a loss has nothing to recompute");
  }

  /** Values that are not kept, each with the index of the op that makes it. */
  private static Map<Value, Integer> droppedValues(
      List<Graph.Node> nodes, int lossAt, Map<String, Mode> modes) {
    Map<Value, Integer> dropped = new HashMap<>();
    for (int i = 0; i < lossAt; i++) {
      Mode mode = modes.getOrDefault(nodes.get(i).block(), Mode.NOTHING);
      Op op = nodes.get(i).op();
      if (mode == Mode.EVERYTHING || (mode == Mode.CHEAP_OPS && op.isCheap())) {
        for (Value output : op.outputs()) {
          dropped.put(output, i);
        }
      }
    }
    // What another block reads in the forward pass is that block's input: it stays.
    for (int i = 0; i <= lossAt; i++) {
      String block = nodes.get(i).block();
      nodes
          .get(i)
          .op()
          .inputs()
          .forEach(
              v ->
                  dropped.computeIfPresent(
                      v, (value, at) -> nodes.get(at).block().equals(block) ? at : null));
    }
    return dropped;
  }

  /**
   * For each block the ops to run again, in order: what backward reads, and what that needs. Where
   * that is but a small part of what a costly op makes (the low-rank side of a block's last layer),
   * it is kept after all, and leaves {@code dropped}.
   */
  private static Map<String, Set<Integer>> opsToRepeat(
      List<Graph.Node> nodes, int lossAt, Map<Value, Integer> dropped) {
    Set<Value> needed = new HashSet<>();
    for (Graph.Node node : nodes.subList(lossAt + 1, nodes.size())) {
      node.op().inputs().stream().filter(dropped::containsKey).forEach(needed::add);
    }
    Set<Integer> repeat = new HashSet<>();
    for (int i = lossAt; i >= 0; i--) {
      Op op = nodes.get(i).op();
      List<Value> read = op.outputs().stream().filter(needed::contains).toList();
      if (!op.isCheap() && SMALL_PART * bytes(read) <= bytes(op.outputs())) {
        read.forEach(dropped::remove);
      } else if (!read.isEmpty()) {
        repeat.add(i);
        op.inputs().stream().filter(dropped::containsKey).forEach(needed::add);
      }
    }
    Map<String, Set<Integer>> byBlock = new LinkedHashMap<>();
    for (int i = 0; i < lossAt; i++) {
      if (repeat.contains(i)) {
        byBlock.computeIfAbsent(nodes.get(i).block(), b -> new java.util.LinkedHashSet<>()).add(i);
      }
    }
    return byBlock;
  }

  private static long bytes(List<Value> values) {
    return values.stream().mapToLong(Value::bytes).sum();
  }
}
