package org.loranative.graph;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.loranative.device.Memory;

/**
 * An immutable list of ops and the offset of each temporary. The arena begins with the scratch
 * region that all ops share.
 *
 * @param scratchBytes of the shared region
 * @param arenaBytes of the whole arena
 * @param atPeak values alive where most memory is, largest first
 */
public record Plan(
    Graph graph,
    List<Op> ops,
    Map<Value, Long> offsets,
    long scratchBytes,
    long arenaBytes,
    List<Value> atPeak) {
  public Plan {
    ops = List.copyOf(ops);
    offsets = Map.copyOf(offsets);
    atPeak = List.copyOf(atPeak);
  }

  /**
   * Joins the plan to memory.
   *
   * @param arena of at least {@link #arenaBytes}
   * @param elsewhere address of every value that does not live in the arena
   */
  public Addresses bind(Memory arena, ToLongFunction<Value> elsewhere) {
    Addresses at = new Addresses(graph.valueCount());
    long start = arena.address(0, arenaBytes);
    at.scratch(start);
    offsets.forEach((v, offset) -> at.put(v, start + offset));
    for (Value v : graph.named().values()) {
      if (v.kind() != Kind.INPUT) {
        at.put(v, elsewhere.applyAsLong(v));
      }
    }
    return at;
  }

  /** The input called {@code name}. */
  public Value input(String name) {
    return Objects.requireNonNull(graph.named().get(name), name);
  }

  /** One line for each op, with shapes and offsets: what {@code --dump-plan} prints. */
  public String dump() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < ops.size(); i++) {
      Op op = ops.get(i);
      text.append(
          String.format(
              "%5d  %-12s %-28s %s <- %s%n",
              i,
              graph.nodes().get(i).block(),
              op.name(),
              op.outputs().stream().map(this::place).collect(Collectors.joining(", ")),
              op.inputs().stream().map(this::place).collect(Collectors.joining(", "))));
    }
    return text.append(String.format("arena %d, of it scratch %d%n", arenaBytes, scratchBytes))
        .toString();
  }

  private String place(Value v) {
    Long offset = offsets.get(v);
    return offset == null ? v.toString() : v + "@" + offset;
  }
}
