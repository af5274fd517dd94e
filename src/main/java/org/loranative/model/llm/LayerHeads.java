package org.loranative.model.llm;

import java.util.Map;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.model.Family;

/**
 * How wide and how many heads of keys are in each layer. Gemma 4's configs say of all layers that
 * do not slide what is otherwise there ({@code global_head_dim}); transformers 5 writes such layers
 * by their numbers ({@code per_layer_config}).
 *
 * @param config the model's settings
 * @param headDim of the other layers, and
 * @param kvHeads of them
 */
record LayerHeads(
    String source, Family family, Map<String, Object> config, int headDim, int kvHeads) {
  private static final String BY_LAYER = "per_layer_config";
  private static final String HEAD_DIM = "head_dim";
  private static final String KV_HEADS = "num_key_value_heads";

  int headDim(int layer, boolean slides) {
    int full = (int) number("global_head_dim", family.fullHeadDim());
    int width = ofLayer(layer, HEAD_DIM, slides || full == 0 ? headDim : full);
    if (width < 2 || width % 2 != 0) {
      throw new UserException(
          String.format("%s: layer %d has heads of width %d.", source, layer, width));
    }
    return width;
  }

  /**
   * @param heads of queries
   */
  int kvHeads(int layer, boolean slides, int heads) {
    boolean own = !slides && Boolean.TRUE.equals(config.get("attention_k_eq_v"));
    int usual = own ? (int) number("num_global_key_value_heads", kvHeads) : kvHeads;
    int number = ofLayer(layer, KV_HEADS, usual);
    if (number < 1 || heads % number != 0) {
      throw new UserException(
          String.format(
              "%s: layer %d has %d heads over %d key-value heads.", source, layer, heads, number));
    }
    return number;
  }

  /** What the config says of this layer by its number; where it lists layers at all, it alone. */
  private int ofLayer(int layer, String key, int otherwise) {
    if (!(config.get(BY_LAYER) instanceof Map<?, ?> layers)) {
      return otherwise;
    }
    for (Map.Entry<?, ?> e : layers.entrySet()) {
      if (!(e.getValue() instanceof Map<?, ?> own)
          || !String.valueOf(e.getKey()).matches("\\d{1,6}")
          || !Set.of(HEAD_DIM, KV_HEADS).containsAll(own.keySet())) {
        throw new UserException(
            String.format(
                "%s: %s says %s of layer %s, of which %s and %s alone are supported.",
                source, BY_LAYER, e.getValue(), e.getKey(), HEAD_DIM, KV_HEADS));
      }
      if (Integer.parseInt(String.valueOf(e.getKey())) == layer
          && own.get(key) instanceof Number n) {
        return n.intValue();
      }
    }
    return key.equals(HEAD_DIM) ? headDim : kvHeads;
  }

  private double number(String key, double otherwise) {
    return config.get(key) instanceof Number n ? n.doubleValue() : otherwise;
  }
}
