package org.loranative.lora;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Several adapters as one: ranks stand side by side, and each one's scale is in its numbers.
 *
 * @param params the parts of all modules, in the layout of {@code adapters}
 */
public record Mix(Adapters adapters, float[] params) {

  /** An adapter, and how much of it is wanted. */
  public record Part(Map<String, AdaptedLayer> modules, double weight) {}

  public static Mix of(List<Adapters.Target> targets, List<Part> parts) {
    Map<String, Integer> ranks = new TreeMap<>();
    for (Part part : parts) {
      part.modules().forEach((path, m) -> ranks.merge(path, m.rank(), Integer::sum));
    }
    Adapters adapters = Adapters.ofRanks(targets, ranks);
    float[] params = new float[Math.toIntExact(adapters.floats())];
    for (Adapters.Module m : adapters.modules()) {
      int before = 0;
      for (Part part : parts) {
        AdaptedLayer one = part.modules().get(m.path());
        if (one != null) {
          one.place(m, (float) (one.scale() * part.weight()), before, params);
          before += one.rank();
        }
      }
    }
    return new Mix(adapters, params);
  }
}
