package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.List;

/**
 * Numbers of an AutoencoderKL.
 *
 * @param resnets of each level of the encoder; the decoder has one more
 * @param scaling that latents are multiplied by before the UNet sees them
 */
record VaeConfig(
    int latentChannels, int groups, int resnets, List<Integer> channels, double scaling) {
  VaeConfig {
    channels = List.copyOf(channels);
  }

  /** How many times smaller latents are than images, in each direction. */
  int factor() {
    return 1 << (channels.size() - 1);
  }

  static VaeConfig read(Path file) {
    Json json = Json.read(file);
    json.require("act_fn", "silu");
    int levels = json.texts("down_block_types").size();
    return new VaeConfig(
        json.integer("latent_channels", 4),
        json.integer("norm_num_groups", 32),
        json.integer("layers_per_block", 1),
        json.integers("block_out_channels", levels, 0),
        json.number("scaling_factor", 0.18215));
  }
}
