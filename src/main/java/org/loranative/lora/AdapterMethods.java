package org.loranative.lora;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The kinds of adapter that there are. */
public final class AdapterMethods {
  /** Where nothing names another. */
  public static final AdapterMethod DEFAULT = new LowRankMethod();

  private static final List<AdapterMethod> ALL = List.of(DEFAULT, new DoraMethod());

  /** For asking a method what it keeps, whatever the layer. */
  static final Adapters.Target ANY_LAYER = new Adapters.Target("any", 1, 1);

  private AdapterMethods() {}

  static List<AdapterMethod> all() {
    return ALL;
  }

  /** The one that settings call so. */
  public static Optional<AdapterMethod> named(String name) {
    return ALL.stream().filter(m -> m.name().equals(name)).findFirst();
  }

  /** The method that has most parts of those of which a file holds all for a layer. */
  static Optional<AdapterMethod> ofParts(Set<String> names) {
    return ALL.stream()
        .filter(m -> names.containsAll(partNames(m)))
        .max(Comparator.comparingInt(m -> partNames(m).size()));
  }

  /** The parts of every method, each once. */
  static List<Part> parts() {
    Map<String, Part> parts = new LinkedHashMap<>();
    ALL.forEach(m -> m.parts(ANY_LAYER, 1).forEach(p -> parts.putIfAbsent(p.name(), p)));
    return List.copyOf(parts.values());
  }

  static List<String> partNames(AdapterMethod method) {
    return method.parts(ANY_LAYER, 1).stream().map(Part::name).toList();
  }
}
