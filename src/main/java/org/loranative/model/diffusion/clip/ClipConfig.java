package org.loranative.model.diffusion.clip;

import java.nio.file.Path;
import org.loranative.graph.ops.Act;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.PartConfig;

/**
 * A text encoder: CLIP's, or OpenCLIP's under the same names.
 *
 * @param projection width of the pooled state
 * @param pooled whether it gives a projected pooled state too (CLIPTextModelWithProjection)
 */
public record ClipConfig(
    int hidden,
    int layers,
    int heads,
    int positions,
    int vocab,
    float eps,
    Act act,
    int projection,
    boolean pooled) {
  /** Of all of CLIP's and OpenCLIP's. */
  private static final int HEAD_WIDTH = 64;

  public static ClipConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("architectures", "CLIPTextModel", "CLIPTextModelWithProjection");
    json.require("model_type", "clip_text_model");
    json.require("hidden_act", "quick_gelu", "gelu");
    // transformers writes the settings of every model into each config, so unknown keys tell
    // nothing.
    return new ClipConfig(
        json.integer("hidden_size"),
        json.integer("num_hidden_layers"),
        json.integer("num_attention_heads"),
        json.integer("max_position_embeddings", 77),
        json.integer("vocab_size"),
        (float) json.number("layer_norm_eps", 1e-5),
        json.text("hidden_act", "quick_gelu").equals("gelu") ? Act.GELU : Act.QUICK_GELU,
        json.integer("projection_dim", json.integer("hidden_size")),
        json.texts("architectures").contains("CLIPTextModelWithProjection"));
  }

  /**
   * The numbers of an encoder under transformers' names in a checkpoint of one file.
   *
   * @param prefix that ends with {@code text_model.}, where the file has that
   * @param act which the shapes do not tell
   */
  public static ClipConfig of(CheckpointFile file, String prefix, Act act, boolean pooled) {
    String embeddings = prefix + "embeddings.";
    int hidden = file.side(embeddings + "token_embedding.weight", 1);
    return new ClipConfig(
        hidden,
        file.count(prefix + "encoder.layers."),
        Math.max(1, hidden / HEAD_WIDTH),
        file.side(embeddings + "position_embedding.weight", 0),
        file.side(embeddings + "token_embedding.weight", 0),
        1e-5f,
        act,
        hidden,
        pooled);
  }
}
