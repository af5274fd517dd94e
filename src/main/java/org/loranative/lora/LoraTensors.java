package org.loranative.lora;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.loranative.UserException;
import org.loranative.io.TensorEntry;

/** The tensors of an adapter's file, brought together by the layer that they belong to. */
final class LoraTensors {
  /** A tensor that is no part. */
  static final String ALPHA = "alpha";

  /** What a tensor is to its layer, by the ends of names. */
  private static final Map<String, String> ROLES = new LinkedHashMap<>();

  static {
    for (Part part : AdapterMethods.parts()) {
      part.keys().all().forEach(end -> ROLES.put(end, part.name()));
    }
    AdapterMethods.all().forEach(method -> ROLES.putAll(method.fileExtras()));
    ROLES.put(".alpha", ALPHA);
  }

  /** Adapters of other kinds, by a tensor that each has. */
  private static final Map<String, Pattern> OTHER_KINDS = new LinkedHashMap<>();

  static {
    OTHER_KINDS.put(
        "LoHa or LoKr of three factors (use_tucker, use_effective_conv2d)",
        Pattern.compile(".*\\.(hada|lokr)_t[12].*"));
    OTHER_KINDS.put(
        "LoKr whose first matrix is a product too (decompose_both)",
        Pattern.compile(".*\\.lokr_w1_[ab].*"));
    OTHER_KINDS.put("OFT", Pattern.compile(".*\\.(oft|boft)_.*"));
    OTHER_KINDS.put("GLoRA", Pattern.compile(".*\\.[ab][12]\\.weight"));
    OTHER_KINDS.put("(IA)³", Pattern.compile(".*\\.on_input"));
    OTHER_KINDS.put(
        "whole weights or their differences", Pattern.compile(".*\\.(diff|diff_b|set_weight)"));
    OTHER_KINDS.put("weights of norms", Pattern.compile(".*\\.[wb]_norm"));
    OTHER_KINDS.put(
        "embeddings (textual inversion)",
        Pattern.compile("bundle_emb\\..*|emb_params|clip_[lg]|string_to_param.*"));
  }

  private final Path path;
  private final Map<String, Map<String, TensorEntry>> byLayer = new LinkedHashMap<>();
  private final List<String> unknown = new ArrayList<>();

  /**
   * @throws UserException if the adapter is of a kind that is not supported
   */
  LoraTensors(Path path, Map<String, TensorEntry> tensors) {
    this.path = path;
    tensors.forEach(this::add);
  }

  private void add(String name, TensorEntry entry) {
    OTHER_KINDS.forEach(
        (kind, pattern) -> {
          if (pattern.matcher(name).matches()) {
            throw new UserException(
                path
                    + " holds "
                    + kind
                    + " ("
                    + name
                    + "), which is not supported: LoRA, DoRA, LoHa and LoKr are,"
                    + " of linear layers and convolutions.");
          }
        });
    // A short end may be the end of a longer one.
    Optional<String> end =
        ROLES.keySet().stream().filter(name::endsWith).max(Comparator.comparingInt(String::length));
    if (end.isEmpty()) {
      unknown.add(name);
      return;
    }
    String layer = name.substring(0, name.length() - end.get().length());
    byLayer.computeIfAbsent(layer, l -> new TreeMap<>()).put(ROLES.get(end.get()), entry);
  }

  /** Whether a tensor of this name is a part of an adapter. */
  static boolean isPart(String name) {
    return ROLES.keySet().stream().anyMatch(name::endsWith);
  }

  /** Names of layers as the file has them, and what it holds for each. */
  Map<String, Map<String, TensorEntry>> byLayer() {
    return byLayer;
  }

  /** Tensors that are no part of a LoRA, as far as their names tell. */
  List<String> unknown() {
    return unknown;
  }
}
