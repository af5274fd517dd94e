package org.loranative.lora;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.LowRank;
import org.loranative.graph.ops.RoundPadded;
import org.loranative.graph.ops.RoundParts;
import org.loranative.io.DType;

/**
 * Copies in 16 bits of the parts that products read. They are no part of a run's state: they follow
 * the parameters, and one launch makes them all.
 */
final class RoundedParts {
  /** The slot that holds the copies. */
  static final String NAME = "rounded";

  private static final String PLACES = NAME + ".places";

  private final DType dtype;
  private final Map<String, Long> offsets = new HashMap<>();
  private final List<int[]> rows = new ArrayList<>();
  private long numbers;

  /** The copies that products of {@code dtype} read; none in f32. */
  RoundedParts(Adapters adapters, DType dtype) {
    this.dtype = dtype;
    if (dtype == DType.F32) {
      return;
    }
    // Those that layers with the same input multiply it by lie one behind the other.
    addAll(adapters, Part.Axes.RANK_BY_INPUT);
    addAll(adapters, Part.Axes.OUTPUT_BY_RANK);
  }

  private void addAll(Adapters adapters, Part.Axes axes) {
    Map<String, List<Adapters.Module>> together = new LinkedHashMap<>();
    for (Adapters.Module m : adapters.modules()) {
      together.computeIfAbsent(m.target().beside(), b -> new ArrayList<>()).add(m);
    }
    together.values().forEach(modules -> modules.forEach(m -> addParts(m, axes)));
  }

  private void addParts(Adapters.Module m, Part.Axes axes) {
    m.parts().stream()
        .filter(p -> m.spec().method().multiplied().contains(p.part().name()))
        .filter(p -> p.part().axes() == axes)
        .forEach(p -> add(m, p));
  }

  private void add(Adapters.Module m, Adapters.Place place) {
    Shape from = place.part().shape();
    Shape to = shape(place.part(), dtype);
    rows.add(RoundParts.row(place.offset(), numbers, RoundPadded.Sizes.of(from, to)));
    offsets.put(name(m, place.part()), numbers);
    numbers += (to.size() + RoundParts.TO - 1) / RoundParts.TO * RoundParts.TO;
  }

  private static Shape shape(Part part, DType dtype) {
    LowRank.RankAxis rank =
        part.axes() == Part.Axes.OUTPUT_BY_RANK ? LowRank.RankAxis.OF_B : LowRank.RankAxis.OF_A;
    return LowRank.filledUp(part.shape(), rank, dtype);
  }

  private static String name(Adapters.Module m, Part part) {
    return m.path() + "." + part.name() + "." + NAME;
  }

  /** The copy of a part, in a graph. */
  static Value copy(Graph g, Adapters.Module m, Part part, DType dtype) {
    return g.named(Kind.STATE, name(m, part), dtype, shape(part, dtype));
  }

  /** The copies and what tells where they lie; none where there are no copies. */
  List<Slot> slots() {
    return rows.isEmpty() ? List.of() : List.of(copies(), places());
  }

  private Slot copies() {
    return new Slot(NAME, dtype, numbers, new Slot.Start.Following(), false);
  }

  private Slot places() {
    return Slot.constant(PLACES, rows.stream().flatMapToInt(Arrays::stream).toArray());
  }

  /** Appends what makes the copies anew. */
  void append(Graph g, Value params) {
    if (!rows.isEmpty()) {
      RoundParts.of(g, params, AdapterState.value(g, places()), AdapterState.value(g, copies()));
    }
  }

  /** Makes the copies anew, beside a graph. */
  void make(Device device, Map<String, Long> addresses) {
    if (!rows.isEmpty()) {
      RoundParts.run(
          device,
          addresses.get(AdapterState.PARAMS),
          addresses.get(PLACES),
          addresses.get(NAME),
          rows.size(),
          dtype);
    }
  }

  /** Where copies begin among the bytes of the first slot, by the names of their values. */
  Map<String, Long> bytes() {
    Map<String, Long> bytes = new HashMap<>();
    offsets.forEach((name, at) -> bytes.put(name, dtype.bytes(at)));
    return bytes;
  }
}
