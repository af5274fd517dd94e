package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Numbers of a UNet2DConditionModel.
 *
 * @param levels from the outside in
 * @param timeShift freq_shift of the timestep's embedding; cosineFirst its flip_sin_to_cos
 * @param sizeEmbedding width of the embedding of each of SDXL's six sizes, 0 without them
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
    List<Level> levels) {
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
  }

  Level innermost() {
    return levels.get(levels.size() - 1);
  }

  static UnetConfig read(Path file) {
    Json json = Json.read(file);
    json.require("act_fn", "silu", "swish");
    json.require("mid_block_type", "UNetMidBlock2DCrossAttn");
    json.require("resnet_time_scale_shift", "default");
    json.require("time_embedding_type", "positional");
    json.require("addition_embed_type", "text_time");
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
    return new UnetConfig(
        json.integer("in_channels", 4),
        json.integer("out_channels", 4),
        json.integer("cross_attention_dim"),
        json.integer("norm_num_groups", 32),
        (float) json.number("norm_eps", 1e-5),
        json.flag("flip_sin_to_cos", true),
        (float) json.number("freq_shift", 0),
        json.has("addition_embed_type") ? json.integer("addition_time_embed_dim") : 0,
        levels);
  }

  private static boolean attends(Json json, String key, String type, String plain) {
    if (type.equals("CrossAttn" + plain)) {
      return true;
    }
    if (!type.equals(plain)) {
      throw json.wrong(key, "must hold CrossAttn" + plain + " and " + plain + " to be supported");
    }
    return false;
  }
}
