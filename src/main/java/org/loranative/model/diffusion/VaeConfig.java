package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.List;

/**
 * Numbers of an AutoencoderKL.
 *
 * @param resnets of each level of the encoder; the decoder has one more
 * @param shift that is taken from latents, which are then multiplied by
 * @param scaling before the denoiser sees them
 */
public record VaeConfig(
    int latentChannels,
    int groups,
    int resnets,
    List<Integer> channels,
    double shift,
    double scaling) {
  public VaeConfig {
    channels = List.copyOf(channels);
  }

  /** How many times smaller latents are than images, in each direction. */
  public int factor() {
    return 1 << (channels.size() - 1);
  }

  public static VaeConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", "AutoencoderKL");
    json.require("act_fn", "silu");
    json.require("down_block_types", "DownEncoderBlock2D");
    json.require("up_block_types", "UpDecoderBlock2D");
    json.require("in_channels", "3");
    json.require("out_channels", "3");
    json.require("latents_mean");
    json.require("latents_std");
    json.requirePart("mid_block_add_attention", "true");
    // Of tiles, of precision; seen in the tensors.
    json.ignore("sample_size", "force_upcast", "use_quant_conv", "use_post_quant_conv");
    int levels = json.texts("down_block_types").size();
    VaeConfig config =
        new VaeConfig(
            json.integer("latent_channels", 4),
            json.integer("norm_num_groups", 32),
            json.integer("layers_per_block", 1),
            json.integers("block_out_channels", levels, 0),
            json.number("shift_factor", 0),
            json.number("scaling_factor", 0.18215));
    json.warnOfUnknownKeys();
    return config;
  }
}
