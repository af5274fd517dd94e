package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The experts of mixtures in PEFT's folders. There a layer of all experts is a parameter of the
 * module {@code experts} ({@code target_parameters}), and where a module has several, PEFT wraps
 * each one's adapter around those before: the innermost is {@code experts.base_layer.lora_A}, the
 * last {@code experts.lora_A}.
 */
final class PeftParameters {
  static final String KEY = "target_parameters";
  private static final String INNER = ".base_layer";

  /**
   * Names that PEFT 0.21 takes for a mixture's experts wherever they stand in such a base, also in
   * its dense layers and in the expert that sees every token (its
   * transformers_weight_conversion.py).
   */
  private static final Set<String> TAKEN_FOR_EXPERTS = Set.of("gate_proj", "up_proj", "down_proj");

  private PeftParameters() {}

  /**
   * Whether a layer that is no expert is named by its weight, so that PEFT does not take it for
   * experts. PEFT wants no dropout there, so layers with some keep their names.
   *
   * @param base all layers of the base
   */
  static boolean isNamedByWeight(Adapters.Module m, List<Adapters.Target> base) {
    return TAKEN_FOR_EXPERTS.contains(PeftFormat.lastPart(m.path()))
        && m.target().experts() == 0
        && m.spec().method().adaptsExperts()
        && m.spec().dropout() == 0
        && base.stream().anyMatch(t -> t.experts() > 0);
  }

  /**
   * What a file calls the module of an adapted layer.
   *
   * @param all adapted layers, in the base's order
   */
  static String module(Adapters.Target layer, List<Adapters.Target> all) {
    List<String> together = together(module(layer.path()), all);
    int around = together.size() - 1 - together.indexOf(layer.path());
    return module(layer.path()) + INNER.repeat(around);
  }

  /**
   * The layer that a file calls so.
   *
   * @param all layers of the base, in its order
   */
  static Optional<String> path(String name, JsonNode config, List<Adapters.Target> all) {
    String module = name.replaceFirst("(" + INNER.replace(".", "\\.") + ")+$", "");
    int around = (name.length() - module.length()) / INNER.length();
    List<Adapters.Target> named = all.stream().filter(t -> names(config, t.path())).toList();
    List<String> together = together(module, named);
    int at = together.size() - 1 - around;
    return at < 0 ? Optional.empty() : Optional.of(together.get(at));
  }

  private static boolean names(JsonNode config, String path) {
    for (JsonNode name : config.path(KEY)) {
      if (path.equals(name.asText()) || path.endsWith("." + name.asText())) {
        return true;
      }
    }
    return false;
  }

  private static List<String> together(String module, List<Adapters.Target> layers) {
    List<String> paths = new ArrayList<>();
    for (Adapters.Target t : layers) {
      if (t.experts() > 0 && module(t.path()).equals(module)) {
        paths.add(t.path());
      }
    }
    return paths;
  }

  private static String module(String path) {
    return path.substring(0, path.lastIndexOf('.'));
  }
}
