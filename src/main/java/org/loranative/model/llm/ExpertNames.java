package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.UserException;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;

/**
 * What names of {@code lora_targets} mean in a base with mixtures. Gate and up of experts are one
 * layer, {@code experts.gate_up_proj}, as in transformers 5 and PEFT's files.
 *
 * @param targets all layers that can be adapted
 */
record ExpertNames(List<Adapters.Target> targets) {
  private static final String GATE = "gate_proj";
  private static final String UP = "up_proj";
  private static final String TOGETHER = "gate_up_proj";

  /** The names of layers that {@code name} stands for: itself where it names one, or none. */
  List<String> layers(String name) {
    List<String> layers = new ArrayList<>();
    if (matches(name)) {
      layers.add(name);
    }
    for (String half : List.of(GATE, UP)) {
      String together = name.replaceFirst("(^|\\.)" + half + "$", "$1" + TOGETHER);
      if (!together.equals(name) && hasExperts() && matches(together)) {
        layers.add(together);
      }
    }
    return layers.isEmpty() ? List.of(name) : layers;
  }

  /**
   * Refuses names that mean what stays frozen, or a half of experts' gate and up.
   *
   * @param names all that are given
   */
  void require(List<String> names) {
    if (hasExperts()) {
      names.forEach(name -> require(name, names));
    }
  }

  private void require(String name, List<String> names) {
    for (String half : List.of(GATE, UP)) {
      String other = half.equals(GATE) ? UP : GATE;
      if (("." + name).endsWith("." + half)
          && layers(name).stream().anyMatch(l -> l.endsWith(TOGETHER) && matches(l))
          && !names.contains(name.substring(0, name.length() - half.length()) + other)) {
        throw new UserException(
            String.format(
                "lora_targets: %s of this model's experts is one matrix with their %s, as in"
                    + " transformers 5. Name both, or gate_up_proj%s.",
                name, other, matches(name) ? "; mlp." + half + " for dense layers alone" : ""));
      }
    }
    if (matches(name)) {
      return;
    }
    if (name.equals("experts") || name.endsWith(".experts")) {
      throw new UserException(
          String.format(
              "lora_targets: %s is no layer; name those of the experts, gate_up_proj and"
                  + " down_proj.",
              name));
    }
    if (name.equals("gate") || name.endsWith(".gate") || name.matches("(.*\\.)?router(\\.proj)?")) {
      throw new UserException(
          String.format(
              "lora_targets: %s is the router of this model's mixtures, which stays frozen. Name"
                  + " layers of its attention (q_proj, k_proj, v_proj, o_proj) or of its experts"
                  + " (gate_up_proj, down_proj).",
              name));
    }
  }

  private boolean hasExperts() {
    return targets.stream().anyMatch(t -> t.experts() > 0);
  }

  private boolean matches(String name) {
    LoraSpec spec = new LoraSpec(1, 1, 0, List.of(name), false);
    return targets.stream().anyMatch(spec::adapts);
  }
}
