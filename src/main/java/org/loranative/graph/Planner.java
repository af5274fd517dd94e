package org.loranative.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.device.Device;

/**
 * Gives each temporary an offset in one arena. Lifetimes are known exactly, so this is placing
 * intervals: the largest first, each at the lowest free offset (greedy by size, Pisarchyk and Lee
 * 2020, algorithm 3).
 */
public final class Planner {
  /** Addresses are multiples of this: a cache line, and a vector of any instruction set. */
  public static final long ALIGNMENT = 64;

  /** One place in the arena: the values that share it one after the other. */
  private static final class Place {
    final long bytes;
    final List<Value> values = new ArrayList<>();
    int from;
    int to;
    long offset;

    Place(Value first, int from) {
      this.bytes = align(first.bytes());
      this.from = from;
      this.to = from;
      values.add(first);
    }

    boolean meets(Place other) {
      return from <= other.to && other.from <= to;
    }
  }

  private Planner() {}

  /** Plans {@code described} for {@code device}, its ops joined where they can be. */
  public static Plan plan(Graph described, Device device) {
    Graph graph = Fusion.apply(described);
    List<Op> ops = graph.nodes().stream().map(Graph.Node::op).toList();
    List<Place> places = places(graph, ops);
    long scratch = align(ops.stream().mapToLong(op -> scratch(op, device)).max().orElse(0));
    place(places);
    Map<Value, Long> offsets = new HashMap<>();
    long end = 0;
    for (Place p : places) {
      p.values.forEach(v -> offsets.put(v, scratch + p.offset));
      end = Math.max(end, p.offset + p.bytes);
    }
    return new Plan(graph, ops, offsets, scratch, scratch + end, atPeak(places));
  }

  private static long scratch(Op op, Device device) {
    long bytes = op.scratchBytes(device);
    if (bytes < 0) {
      throw new UserException(
          device.name()
              + " cannot compute "
              + op.outputs().get(0).name()
              + ": "
              + device.failure()
              + ". Set device: cpu for this model.");
    }
    return bytes;
  }

  private static List<Place> places(Graph graph, List<Op> ops) {
    Map<Value, Integer> lastUse = new HashMap<>();
    for (int i = 0; i < ops.size(); i++) {
      for (Value v : ops.get(i).inputs()) {
        lastUse.put(v, i);
      }
    }
    List<Place> places = new ArrayList<>();
    Map<Value, Place> placeOf = new HashMap<>();
    for (Value v : graph.named().values()) {
      if (v.kind() == Kind.INPUT) {
        places.add(new Place(v, -1));
        placeOf.put(v, places.get(places.size() - 1));
      }
    }
    for (int i = 0; i < ops.size(); i++) {
      Op op = ops.get(i);
      for (Op.Reuse reuse : op.reuses()) {
        Place place = placeOf.get(reuse.input());
        boolean free =
            place != null
                && reuse.input().kind() == Kind.TEMP
                && lastUse.get(reuse.input()) == i
                && place.values.get(place.values.size() - 1).equals(reuse.input())
                && !graph.results().contains(reuse.input())
                && align(reuse.output().bytes()) <= place.bytes;
        if (reuse.required() && !free) {
          throw new IllegalStateException(
              "plan line "
                  + i
                  + " ("
                  + op.name()
                  + ") adds to "
                  + reuse.input()
                  + ", still in use");
        }
        if (free) {
          place.values.add(reuse.output());
          placeOf.put(reuse.output(), place);
        }
      }
      for (Value v : op.outputs()) {
        if (v.kind() == Kind.TEMP && !placeOf.containsKey(v)) {
          places.add(new Place(v, i));
          placeOf.put(v, places.get(places.size() - 1));
        }
      }
      for (Value v : op.inputs()) {
        Place place = placeOf.get(v);
        if (place != null) {
          place.to = i;
        } else if (v.kind() == Kind.TEMP) {
          throw new IllegalStateException(
              "plan line " + i + " (" + op.name() + ") reads " + v + ", which nobody made");
        }
      }
      for (Value v : op.outputs()) {
        Place place = placeOf.get(v);
        if (place != null) {
          place.to = i; // written here, even if nobody reads it
        }
      }
    }
    graph.results().forEach(v -> placeOf.get(v).to = ops.size());
    return places;
  }

  private static void place(List<Place> places) {
    List<Place> bySize = new ArrayList<>(places);
    bySize.sort(Comparator.comparingLong((Place p) -> -p.bytes).thenComparingInt(p -> p.from));
    List<Place> placed = new ArrayList<>(); // sorted by offset
    for (Place p : bySize) {
      long offset = 0;
      for (Place other : placed) {
        if (p.meets(other)) {
          if (offset + p.bytes <= other.offset) {
            break;
          }
          offset = Math.max(offset, other.offset + other.bytes);
        }
      }
      p.offset = offset;
      int at = 0;
      while (at < placed.size() && placed.get(at).offset <= offset) {
        at++;
      }
      placed.add(at, p);
    }
  }

  /** The values alive where most bytes are, largest first. */
  private static List<Value> atPeak(List<Place> places) {
    int last = places.stream().mapToInt(p -> p.to).max().orElse(0);
    long[] change = new long[last + 3];
    for (Place p : places) {
      change[p.from + 1] += p.bytes;
      change[p.to + 2] -= p.bytes;
    }
    long live = 0;
    long most = -1;
    int peak = 0;
    for (int i = 0; i < change.length; i++) {
      live += change[i];
      if (live > most) {
        most = live;
        peak = i - 1;
      }
    }
    int at = peak;
    return places.stream()
        .filter(p -> p.from <= at && at <= p.to)
        .sorted(Comparator.comparingLong(p -> -p.bytes))
        .map(p -> p.values.get(0))
        .toList();
  }

  /** {@code bytes} rounded up to {@link #ALIGNMENT}. */
  public static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
