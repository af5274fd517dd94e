package org.loranative.lora;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The embedding and the head of a language model as PEFT's folders hold them where they were
 * trained as a whole. Of a base whose head is its embedding the file has both, of the same numbers.
 *
 * @param layers of the base, these among them; a base without a head has tied it
 */
public record SavedModules(List<Adapters.Target> layers) {
  public static final String EMBEDDING = "embed_tokens";
  public static final String HEAD = "lm_head";

  /** How much of a layer is scaled, dropped or low-rank: nothing. */
  public static LoraSpec spec(List<String> paths) {
    return new LoraSpec(WholeMethod.INSTANCE, 1, 1, 0, paths, false, 1);
  }

  /** Whether a layer is one of the two. */
  public static boolean isOne(Adapters.Target layer) {
    return List.of(EMBEDDING, HEAD).contains(PeftFormat.lastPart(layer.path()));
  }

  /** The embedding of a base that has no head of its own. */
  Optional<Adapters.Target> tied() {
    boolean head = layers.stream().anyMatch(t -> t.path().equals(HEAD));
    return head
        ? Optional.empty()
        : layers.stream().filter(t -> PeftFormat.lastPart(t.path()).equals(EMBEDDING)).findFirst();
  }

  /** The layer that a file's module is. */
  Optional<Adapters.Target> of(String module) {
    Optional<Adapters.Target> own =
        layers.stream().filter(t -> isOne(t) && t.path().equals(module)).findFirst();
    return module.equals(HEAD) ? own.or(this::tied) : own;
  }

  /** What the file calls a layer: each name holds its numbers. */
  List<String> modules(Adapters.Target layer) {
    return tied().filter(layer::equals).isPresent()
        ? List.of(layer.path(), HEAD)
        : List.of(layer.path());
  }

  /** Names them in PEFT's configuration, as far as they are trained. */
  void describe(Adapters adapters, ObjectNode config) {
    Map<String, Boolean> names = new LinkedHashMap<>();
    for (Adapters.Module m : adapters.modules()) {
      if (m.spec().method().replaces()) {
        names.put(PeftFormat.lastPart(m.path()), tied().filter(m.target()::equals).isPresent());
      }
    }
    if (!names.isEmpty()) {
      new ArrayList<>(names.keySet()).forEach(config.putArray("modules_to_save")::add);
      config.put("ensure_weight_tying", names.containsValue(true));
    }
  }
}
