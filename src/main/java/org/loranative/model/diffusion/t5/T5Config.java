package org.loranative.model.diffusion.t5;

import java.nio.file.Path;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.PartConfig;

/**
 * Numbers of a T5 encoder (version 1.1: gated GELU, no biases).
 *
 * @param hidden d_model
 * @param headDim d_kv; heads times it need not be hidden
 * @param buckets of distances, that each head has a number for
 * @param farthest distance that still has a bucket of its own
 */
public record T5Config(
    int hidden,
    int layers,
    int heads,
    int headDim,
    int vocab,
    int buckets,
    int farthest,
    float eps) {
  /** Of every T5; shapes do not tell it. */
  private static final int FARTHEST = 128;

  /** The numbers of a T5 under transformers' names in a checkpoint of one file. */
  public static T5Config of(CheckpointFile file, String prefix) {
    String attention = prefix + "encoder.block.0.layer.0.SelfAttention.";
    String buckets = attention + "relative_attention_bias.weight";
    int heads = file.side(buckets, 1);
    return new T5Config(
        file.side(prefix + "shared.weight", 1),
        file.count(prefix + "encoder.block."),
        heads,
        file.side(attention + "q.weight", 0) / heads,
        file.side(prefix + "shared.weight", 0),
        file.side(buckets, 0),
        FARTHEST,
        1e-6f);
  }

  public static T5Config read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("architectures", "T5EncoderModel", "T5ForConditionalGeneration");
    json.require("model_type", "t5");
    json.require("feed_forward_proj", "gated-gelu");
    // transformers writes a decoder's settings too, so unknown keys tell nothing.
    return new T5Config(
        json.integer("d_model"),
        json.integer("num_layers"),
        json.integer("num_heads"),
        json.integer("d_kv"),
        json.integer("vocab_size"),
        json.integer("relative_attention_num_buckets", 32),
        json.integer("relative_attention_max_distance", 128),
        (float) json.number("layer_norm_epsilon", 1e-6));
  }

  /**
   * The bucket of a distance, both directions (transformers' T5Attention, in single precision as
   * there): exact for near tokens, logarithmic behind them.
   *
   * @param distance from the token that sees to the token seen
   */
  int bucket(int distance) {
    int half = buckets / 2;
    int from = distance > 0 ? half : 0;
    int far = Math.abs(distance);
    int exact = half / 2;
    if (far < exact) {
      return from + far;
    }
    float log = (float) Math.log((float) far / exact);
    float scale = (float) Math.log((double) farthest / exact);
    return from + Math.min(half - 1, exact + (int) (log / scale * (half - exact)));
  }

  /** The buckets of all distances between tokens of a text, from the last to the first on. */
  public int[] distances(int tokens) {
    int[] all = new int[2 * tokens - 1];
    for (int i = 0; i < all.length; i++) {
      all[i] = bucket(i - (tokens - 1));
    }
    return all;
  }
}
