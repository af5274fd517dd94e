package org.loranative.model.diffusion.families.stable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.loranative.model.diffusion.PartConfig;

/**
 * Numbers of a UNet2DConditionModel.
 *
 * @param levels from the outside in
 * @param timeShift freq_shift of the timestep's embedding; cosineFirst its flip_sin_to_cos
 * @param sizeEmbedding width of the embedding of each of SDXL's six sizes, 0 without them
 * @param addedWidth of pooled text and sizes together, 0 without them
 * @param sampleSize height and width of the latents it was made for
 */
record UnetConfig(
    int inChannels,
    int outChannels,
    int contextWidth,
    int groups,
    float eps,
    boolean cosineFirst,
    float timeShift,
    int sizeEmbedding,
    int addedWidth,
    List<Integer> sampleSize,
    List<Level> levels) {
  private static final int USUAL_SAMPLE_SIZE = 64;

  /**
   * One resolution.
   *
   * @param heads of its attention, 0 without attention on the way down (up likewise)
   * @param blocks transformer blocks of each attention
   */
  record Level(
      int channels, int resnets, int heads, int blocks, boolean attendsDown, boolean attendsUp) {}

  UnetConfig {
    levels = List.copyOf(levels);
    sampleSize = List.copyOf(sampleSize);
  }

  Level innermost() {
    return levels.get(levels.size() - 1);
  }

  static UnetConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    requirePlain(json);
    List<String> down = json.texts("down_block_types");
    List<String> up = json.texts("up_block_types");
    int n = down.size();
    List<Integer> channels = json.integers("block_out_channels", n, 0);
    List<Integer> resnets = json.integers("layers_per_block", n, 2);
    // What diffusers calls attention_head_dim is the number of heads.
    List<Integer> heads =
        json.has("num_attention_heads")
            ? json.integers("num_attention_heads", n, 8)
            : json.integers("attention_head_dim", n, 8);
    List<Integer> blocks = json.integers("transformer_layers_per_block", n, 1);
    List<Level> levels = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      levels.add(
          new Level(
              channels.get(i),
              resnets.get(i),
              heads.get(i),
              blocks.get(i),
              attends(json, "down_block_types", down.get(i), "DownBlock2D"),
              attends(json, "up_block_types", up.get(n - 1 - i), "UpBlock2D")));
    }
    boolean added = json.has("addition_embed_type");
    UnetConfig config =
        new UnetConfig(
            json.integer("in_channels", 4),
            json.integer("out_channels", 4),
            json.integer("cross_attention_dim"),
            json.integer("norm_num_groups", 32),
            (float) json.number("norm_eps", 1e-5),
            json.flag("flip_sin_to_cos", true),
            (float) json.number("freq_shift", 0),
            added ? json.integer("addition_time_embed_dim") : 0,
            added ? json.integer("projection_class_embeddings_input_dim") : 0,
            json.integers("sample_size", 2, USUAL_SAMPLE_SIZE),
            levels);
    json.warnOfUnknownKeys();
    return config;
  }

  /** What would make it another model than the one that is built here. */
  private static void requirePlain(PartConfig json) {
    json.require("_class_name", "UNet2DConditionModel");
    json.require("act_fn", "silu", "swish");
    json.requirePart("mid_block_type", "UNetMidBlock2DCrossAttn");
    json.require("resnet_time_scale_shift", "default");
    json.require("time_embedding_type", "positional");
    json.require("addition_embed_type", "text_time");
    json.require("attention_type", "default");
    for (String key :
        List.of(
            "class_embed_type",
            "num_class_embeds",
            "cross_attention_norm",
            "encoder_hid_dim",
            "encoder_hid_dim_type",
            "time_cond_proj_dim",
            "time_embedding_act_fn",
            "time_embedding_dim",
            "timestep_post_act",
            "reverse_transformer_layers_per_block")) {
      json.require(key);
    }
    for (String key :
        List.of(
            "center_input_sample",
            "class_embeddings_concat",
            "dual_cross_attention",
            "only_cross_attention",
            "mid_block_only_cross_attention",
            "resnet_skip_time_act")) {
      json.require(key, "false");
    }
    json.require("conv_in_kernel", "3");
    json.require("conv_out_kernel", "3");
    json.require("downsample_padding", "1");
    json.require("mid_block_scale_factor", "1");
    json.require("resnet_out_scale_factor", "1");
    json.require("dropout", "0");
    // Seen in the tensors, of another kind of addition, or a matter of precision alone.
    json.ignore("use_linear_projection", "addition_embed_type_num_heads", "upcast_attention");
    json.ignore("projection_class_embeddings_input_dim", "addition_time_embed_dim");
  }

  private static boolean attends(PartConfig json, String key, String type, String plain) {
    if (type.equals("CrossAttn" + plain)) {
      return true;
    }
    if (!type.equals(plain)) {
      throw json.wrong(key, "must hold CrossAttn" + plain + " and " + plain + " to be supported");
    }
    return false;
  }
}
