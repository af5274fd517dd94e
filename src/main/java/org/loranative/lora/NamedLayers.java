package org.loranative.lora;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A base model's layers, and what files call them. */
public record NamedLayers(List<Adapters.Target> targets, LayerNames names) {

  /** Each name that a file may use, and its layer. */
  Map<String, Adapters.Target> byName() {
    Map<String, Adapters.Target> all = new HashMap<>();
    targets.forEach(t -> names.read(t.path()).forEach(name -> all.put(name, t)));
    return all;
  }

  /** Layers that kohya's files hold as one, by the name of the whole. */
  List<FusedLayer> fused() {
    Map<String, Map<Integer, Adapters.Target>> wholes = new LinkedHashMap<>();
    for (Adapters.Target t : targets) {
      names
          .fused(t.path())
          .ifPresent(
              place ->
                  wholes.computeIfAbsent(place.kohya(), n -> new TreeMap<>()).put(place.part(), t));
    }
    return wholes.entrySet().stream()
        .map(e -> new FusedLayer(e.getKey(), List.copyOf(e.getValue().values())))
        .toList();
  }

  /** The same by every name that a file may use. */
  Map<String, FusedLayer> fusedByName() {
    Map<String, FusedLayer> all = new HashMap<>();
    for (FusedLayer fused : fused()) {
      all.put(fused.name(), fused);
      Optional<LayerNames.Place> place = names.fused(fused.layers().get(0).path());
      place.ifPresent(p -> p.others().forEach(name -> all.put(name, fused)));
    }
    return all;
  }
}
