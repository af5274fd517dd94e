package org.loranative.lora;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.loranative.UserException;

/**
 * Several adapters as one: ranks stand side by side, and each one's scale is in its numbers.
 *
 * @param params the parts of all modules, in the layout of {@code adapters}
 */
public record Mix(Adapters adapters, Flat params) {

  /**
   * An adapter, and how much of it is wanted.
   *
   * @param weight of a layer, by its path; a layer of weight 0 is left out
   */
  public record Part(Map<String, AdaptedLayer> modules, ToDoubleFunction<String> weight) {
    /** As much of every layer. */
    public Part(Map<String, AdaptedLayer> modules, double weight) {
      this(modules, path -> weight);
    }

    private boolean holds(String path) {
      return modules.containsKey(path) && weight.applyAsDouble(path) != 0;
    }
  }

  public static Mix of(List<Adapters.Target> targets, List<Part> parts) {
    Map<String, LoraSpec> specs = new TreeMap<>();
    for (Part part : parts) {
      part.modules()
          .forEach(
              (path, m) -> {
                if (part.holds(path)) {
                  requireScalable(m, part.weight().applyAsDouble(path));
                  specs.merge(path, spec(m.method(), m.rank(), path), Mix::joined);
                }
              });
    }
    Adapters adapters = Adapters.ofSpecs(targets, specs);
    Flat params = new Flat(adapters);
    for (Adapters.Module m : adapters.modules()) {
      int before = 0;
      for (Part part : parts) {
        if (part.holds(m.path())) {
          AdaptedLayer one = part.modules().get(m.path());
          double weight = part.weight().applyAsDouble(m.path());
          one.place(m, (float) (one.scale() * weight), before, params);
          before += one.rank();
        }
      }
    }
    return new Mix(adapters, params);
  }

  /** What stands in place of the base's weight can only be taken as it is. */
  private static void requireScalable(AdaptedLayer layer, double weight) {
    if (weight != 1 && layer.method().replaces()) {
      throw new UserException(
          String.format(
              "The adapter holds all of %s, trained as a whole, which cannot be scaled by %s: take"
                  + " it with scale 1, or 0 to leave it out.",
              layer.target().path(), weight));
    }
  }

  /** Of scale 1. */
  private static LoraSpec spec(AdapterMethod method, int rank, String path) {
    return new LoraSpec(method, rank, rank, 0, List.of(path), false, 1);
  }

  private static LoraSpec joined(LoraSpec one, LoraSpec other) {
    String path = one.targets().get(0);
    for (LoraSpec spec : List.of(one, other)) {
      if (!spec.method().concatenates()) {
        throw new UserException(
            "Several adapters change "
                + path
                + ", and one of them is "
                + spec.method().label()
                + ", which cannot be mixed with another on one layer; use it alone.");
      }
    }
    return spec(one.method(), one.rank() + other.rank(), path);
  }
}
