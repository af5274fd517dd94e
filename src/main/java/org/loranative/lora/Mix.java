package org.loranative.lora;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Several adapters as one: ranks stand side by side, and each one's scale is in its B.
 *
 * @param params A and B of all modules, in the layout of {@code adapters}
 */
public record Mix(Adapters adapters, float[] params) {

  /** An adapter, and how much of it is wanted. */
  public record Part(Map<String, LowRank> modules, double weight) {}

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
        LowRank one = part.modules().get(m.path());
        if (one != null) {
          place(m, one, part.weight(), before, params);
          before += one.rank();
        }
      }
    }
    return new Mix(adapters, params);
  }

  private static void place(
      Adapters.Module m, LowRank one, double weight, int before, float[] params) {
    int a = Math.toIntExact(m.aOffset() + before * m.in());
    System.arraycopy(one.a(), 0, params, a, one.a().length);
    float factor = (float) (one.scale() * weight);
    for (int row = 0; row < m.out(); row++) {
      int b = Math.toIntExact(m.bOffset() + (long) row * m.rank() + before);
      for (int r = 0; r < one.rank(); r++) {
        params[b + r] = one.b()[row * one.rank() + r] * factor;
      }
    }
  }
}
