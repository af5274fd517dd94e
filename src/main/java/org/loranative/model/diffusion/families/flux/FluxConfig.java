package org.loranative.model.diffusion.families.flux;

import java.nio.file.Path;
import java.util.List;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/**
 * Numbers of a FluxTransformer2DModel.
 *
 * @param inChannels of a token: those of 2 × 2 latents
 * @param textWidth of each text token
 * @param pooledWidth of the whole text's state
 * @param told whether it is told a guidance (dev), or was distilled to need none (schnell)
 */
record FluxConfig(
    RotaryTransformer transformer,
    int inChannels,
    int outChannels,
    int textWidth,
    int pooledWidth,
    boolean told) {

  /**
   * Channels that each axis turns where nothing tells: 16, 56 and 56 of FLUX.1's 128, and narrower
   * heads alike.
   */
  static List<Integer> axes(int headDim) {
    int first = headDim / 16 * 2;
    int rest = (headDim - first) / 2;
    return List.of(first, rest, rest);
  }

  static FluxConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", "FluxTransformer2DModel");
    json.require("patch_size", "1"); // pixels are made tokens before they enter
    int channels = json.integer("in_channels", 64);
    int headDim = json.integer("attention_head_dim", 128);
    FluxConfig config =
        new FluxConfig(
            new RotaryTransformer(
                json.integer("num_layers", 19),
                json.integer("num_single_layers", 38),
                json.integer("num_attention_heads", 24),
                headDim,
                json.has("axes_dims_rope") ? json.numbers("axes_dims_rope") : axes(headDim),
                false),
            channels,
            json.integer("out_channels", channels),
            json.integer("joint_attention_dim", 4096),
            json.integer("pooled_projection_dim", 768),
            json.flag("guidance_embeds", false));
    json.warnOfUnknownKeys();
    return config;
  }
}
