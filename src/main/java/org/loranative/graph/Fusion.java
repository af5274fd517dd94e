package org.loranative.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Joins ops that follow one another where the first can do the second in its epilogue, or the
 * second the first as it reads: what lies between them is not written and read again. Each op says
 * itself what it can join ({@link Op#fused}, {@link Op#fusedBehind}); the numbers stay the same.
 */
final class Fusion {
  private Fusion() {}

  static Graph apply(Graph graph) {
    Map<Value, Integer> readers = new HashMap<>();
    for (Graph.Node node : graph.nodes()) {
      node.op().inputs().forEach(v -> readers.merge(v, 1, Integer::sum));
    }
    graph.results().forEach(v -> readers.merge(v, 1, Integer::sum));
    List<Graph.Node> nodes = new ArrayList<>();
    for (Graph.Node node : graph.nodes()) {
      int last = nodes.size() - 1;
      Optional<Op> both =
          last < 0 ? Optional.empty() : joined(nodes.get(last).op(), node.op(), readers);
      if (both.isPresent()) {
        nodes.set(last, new Graph.Node(both.get(), nodes.get(last).block()));
      } else {
        nodes.add(node);
      }
    }
    return graph.with(nodes);
  }

  /** The two as one, if nobody else reads what is then not made. */
  private static Optional<Op> joined(Op first, Op next, Map<Value, Integer> readers) {
    return first
        .fused(next)
        .or(() -> next.fusedBehind(first))
        .filter(
            both -> {
              Set<Value> lost = new HashSet<>(first.outputs());
              both.outputs().forEach(lost::remove);
              return lost.stream()
                  .allMatch(v -> next.inputs().contains(v) && readers.getOrDefault(v, 0) == 1);
            });
  }
}
