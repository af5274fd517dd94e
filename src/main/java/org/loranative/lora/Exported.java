package org.loranative.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adapters as files hold them.
 *
 * @param params the parts of all modules, in the layout of {@code adapters}
 */
record Exported(Adapters adapters, float[] params) {

  static Exported of(Adapters adapters, float[] params) {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    Map<String, LoraSpec> specs = new LinkedHashMap<>();
    boolean asTheyAre = true;
    for (Adapters.Module m : adapters.modules()) {
      AdaptedLayer own = AdaptedLayer.of(m, params, false);
      AdaptedLayer layer = m.spec().method().exported(own);
      asTheyAre &= layer == own;
      layers.put(m.path(), layer);
      specs.put(
          m.path(),
          new LoraSpec(
              layer.method(),
              layer.rank(),
              layer.alpha(),
              m.spec().dropout(),
              List.of(m.path()),
              false,
              1));
    }
    if (asTheyAre) {
      return new Exported(adapters, params);
    }
    List<Adapters.Target> targets =
        adapters.modules().stream().map(Adapters.Module::target).toList();
    Adapters others = Adapters.ofSpecs(targets, specs);
    float[] flat = new float[Math.toIntExact(others.floats())];
    others.modules().forEach(m -> layers.get(m.path()).place(m, 1, 0, flat));
    return new Exported(others, flat);
  }
}
