package org.loranative.io;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An opened model file: its tensors by name and its metadata. Values of the metadata are String,
 * Long, Double, Boolean or a List of these.
 */
public record TensorFile(Map<String, TensorEntry> tensors, Map<String, Object> metadata) {
  /** The metadata as texts, as safetensors holds it. */
  public Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    metadata.forEach((key, value) -> texts.put(key, String.valueOf(value)));
    return texts;
  }
}
