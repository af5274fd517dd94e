package org.loranative.model.llm;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.model.Family;

/**
 * Tensor names of a Hugging Face folder. A model that also sees or hears has its language model
 * inside; transformers calls its parts {@code model.language_model.…} today, and did otherwise when
 * most folders were written.
 */
final class FolderNames {
  /** Of a model that is a language model alone. */
  static final String PLAIN = "model.";

  /** What a layer's states are multiplied by; transformers' name has no ending. */
  private static final String LAYER_SCALE = ".layer_scalar";

  private static final String SINKS = ".self_attn.sinks";
  private static final String CORRECTION = "e_score_correction_bias";
  private static final String OF_EACH = "router.per_expert_scale";
  private static final String WEIGHT = ".weight";
  private static final String INSIDE = "model.language_model.";

  /** A layer of all experts, and what of it: numbers, those packed in 4 bits, or biases. */
  private static final Pattern EXPERTS =
      Pattern.compile("(.*\\.experts\\.(?:gate_up|down)_proj)(?:_blocks|_bias)?");

  private final boolean inside;
  private final Map<String, String> inFile = new HashMap<>();

  /**
   * @param inFile the folder's tensors
   * @param inside whether the language model is a part of a larger one
   */
  FolderNames(Set<String> inFile, boolean inside) {
    this.inside = inside;
    inFile.forEach(name -> this.inFile.put(whole(inside ? inside(name) : name), name));
  }

  /**
   * Of all experts' matrices in one, transformers 5 leaves the ending out, and of sinks; Mixtral's
   * folders call a mixture and its matrices otherwise.
   */
  private static String whole(String name) {
    if (name.contains(".block_sparse_moe.")) {
      return name.replace(".block_sparse_moe.", ".mlp.")
          .replace(".w1.", ".gate_proj.")
          .replace(".w3.", ".up_proj.")
          .replace(".w2.", ".down_proj.");
    }
    if (name.endsWith(".mlp.gate." + CORRECTION)) {
      return name.replace("." + CORRECTION, Router.Sigmoid.CORRECTION);
    }
    if (name.endsWith("." + OF_EACH)) {
      return name.replace(OF_EACH, BesideMixture.SCALES);
    }
    if (name.endsWith(SINKS) || name.endsWith(LAYER_SCALE)) {
      return name + WEIGHT;
    }
    String plain = name.replace(".mlp.router.", ".mlp.gate.");
    Matcher experts = EXPERTS.matcher(plain);
    return experts.matches()
        ? experts.group(1) + (plain.endsWith("_bias") ? ".bias" : WEIGHT)
        : plain;
  }

  /** Our name of a tensor of a folder whose language model is a part. */
  static String inside(String name) {
    if (name.startsWith("language_model.model.")) {
      return name.replaceFirst("language_model\\.model\\.", INSIDE);
    }
    if (name.startsWith("language_model.lm_head.")) {
      return name.substring("language_model.".length());
    }
    return name.matches("model\\.(layers|embed_tokens|norm)\\..*")
        ? INSIDE + name.substring(PLAIN.length())
        : name;
  }

  /** What transformers calls a tensor that we call {@code name}. */
  static String inFolder(Family family, String name) {
    if (name.endsWith(LAYER_SCALE + WEIGHT) || name.endsWith(SINKS + WEIGHT)) {
      return name.substring(0, name.length() - WEIGHT.length());
    }
    String theirs =
        name.replace(Router.Sigmoid.CORRECTION, "." + CORRECTION)
            .replace(BesideMixture.SCALES, OF_EACH);
    for (Map.Entry<String, String> part : family.folderNames().entrySet()) {
      theirs = theirs.replace("." + part.getKey() + ".", "." + part.getValue() + ".");
    }
    return theirs;
  }

  /** What our names of the language model's parts begin with. */
  String prefix() {
    return inside ? INSIDE : PLAIN;
  }

  /** Every tensor by our name. */
  Set<String> ours() {
    return inFile.keySet();
  }

  /** The file's name of a tensor. */
  String inFile(String name) {
    return inFile.getOrDefault(name, name);
  }
}
