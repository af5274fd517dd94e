package org.loranative.lora;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A base model's layers, and what files call them. */
public record NamedLayers(List<Adapters.Target> targets, LayerNames names) {

  /** Each name that a file may use, and its layer. */
  Map<String, Adapters.Target> byName() {
    Map<String, Adapters.Target> all = new HashMap<>();
    targets.forEach(t -> names.read(t.path()).forEach(name -> all.put(name, t)));
    return all;
  }
}
