package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.UserException;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;

/** What the states behind each layer are multiplied by, read when a base is opened (Gemma 4). */
final class LayerScales {
  private LayerScales() {}

  /** The tensor that holds a layer's. */
  static String name(LlmConfig config, int layer) {
    return config.inLayer(layer, "layer_scalar.weight");
  }

  /** Of all layers, 1 where the file has none. */
  static List<Float> read(LlmConfig config, Weights weights, String source) {
    List<Float> scales = new ArrayList<>();
    try (StoredRows rows = weights.rows()) {
      for (int i = 0; i < config.layers().size(); i++) {
        String name = name(config, i);
        float[] scale = {1};
        if (weights.has(name)) {
          if (weights.shape(name).size() != 1) {
            throw new UserException(
                String.format(
                    "%s: tensor %s is %s, but should hold one number.",
                    source, name, weights.shape(name)));
          }
          rows.read(weights.entry(name), 0, 1, scale);
        }
        scales.add(scale[0]);
      }
    }
    return List.copyOf(scales);
  }
}
