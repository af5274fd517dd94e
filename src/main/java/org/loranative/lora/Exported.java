package org.loranative.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.io.Numbers;

/**
 * Adapters as files hold them.
 *
 * @param params the parts of all modules, in the layout of {@code adapters}
 */
record Exported(Adapters adapters, Numbers params) {

  /** Layers as they were read. */
  static Exported of(Map<String, AdaptedLayer> layers, List<Adapters.Target> all) {
    Map<String, LoraSpec> specs = new LinkedHashMap<>();
    layers.forEach((path, layer) -> specs.put(path, spec(layer, path, 0)));
    return laidOut(layers, specs, all);
  }

  private static Exported laidOut(
      Map<String, AdaptedLayer> layers, Map<String, LoraSpec> specs, List<Adapters.Target> all) {
    Adapters adapters = Adapters.ofSpecs(all, specs);
    Flat flat = new Flat(adapters);
    adapters.modules().forEach(m -> layers.get(m.path()).place(m, 1, 0, flat));
    return new Exported(adapters, flat);
  }

  private static LoraSpec spec(AdaptedLayer layer, String path, double dropout) {
    return new LoraSpec(
        layer.method(), layer.rank(), layer.alpha(), dropout, List.of(path), false, 1);
  }

  static Exported of(Adapters adapters, Numbers params) {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    Map<String, LoraSpec> specs = new LinkedHashMap<>();
    boolean asTheyAre = true;
    for (Adapters.Module m : adapters.modules()) {
      AdaptedLayer own = AdaptedLayer.of(m, params, false);
      AdaptedLayer layer = m.spec().method().exported(own);
      asTheyAre &= layer == own;
      layers.put(m.path(), layer);
      specs.put(m.path(), spec(layer, m.path(), m.spec().dropout()));
    }
    if (asTheyAre) {
      return new Exported(adapters, params);
    }
    List<Adapters.Target> targets =
        adapters.modules().stream().map(Adapters.Module::target).toList();
    return laidOut(layers, specs, targets);
  }
}
