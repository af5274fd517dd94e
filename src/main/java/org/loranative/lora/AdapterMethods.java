package org.loranative.lora;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.io.TensorEntry;

/** The kinds of adapter that there are. */
public final class AdapterMethods {
  /** Where nothing names another. */
  public static final AdapterMethod DEFAULT = new LowRankMethod();

  private static final List<AdapterMethod> ALL =
      List.of(DEFAULT, new DoraMethod(), new LohaMethod(), new LokrMethod(LokrMethod.NEAREST_ROOT));

  /** For asking a method what it keeps, whatever the layer. */
  static final Adapters.Target ANY_LAYER = new Adapters.Target("any", 1, 1);

  private AdapterMethods() {}

  static List<AdapterMethod> all() {
    return ALL;
  }

  /** The one that settings call so. */
  public static Optional<AdapterMethod> named(String name, AdapterMethod.Choices setting) {
    return ALL.stream().filter(m -> m.name().equals(name)).findFirst().map(m -> m.with(setting));
  }

  /** The method that has most parts of those of which a file holds all for a layer. */
  static Optional<AdapterMethod> ofTensors(Map<String, TensorEntry> tensors) {
    return forms()
        .filter(m -> tensors.keySet().containsAll(partNames(m)))
        .max(Comparator.comparingInt(m -> partNames(m).size()))
        .map(m -> m.fitted(tensors));
  }

  private static Stream<AdapterMethod> forms() {
    return ALL.stream().flatMap(m -> m.forms().stream());
  }

  /** The parts of every method, each once. */
  static List<Part> parts() {
    Map<String, Part> parts = new LinkedHashMap<>();
    forms().forEach(m -> m.parts(ANY_LAYER, 1).forEach(p -> parts.putIfAbsent(p.name(), p)));
    return List.copyOf(parts.values());
  }

  static List<String> partNames(AdapterMethod method) {
    return method.parts(ANY_LAYER, 1).stream().map(Part::name).toList();
  }
}
