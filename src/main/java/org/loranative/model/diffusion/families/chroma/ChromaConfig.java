package org.loranative.model.diffusion.families.chroma;

import java.nio.file.Path;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/**
 * Numbers of a ChromaTransformer2DModel.
 *
 * @param approximator layers of the network that makes the modulations
 * @param channels of its inputs
 */
record ChromaConfig(RotaryTransformer transformer, int approximator, int channels) {

  static ChromaConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", "ChromaTransformer2DModel");
    json.ignore("approximator_hidden_dim"); // tensors' shapes tell it
    ChromaConfig config =
        new ChromaConfig(
            RotaryTransformer.read(json, true),
            json.integer("approximator_layers", 5),
            json.integer("approximator_num_channels", 64));
    json.warnOfUnknownKeys();
    return config;
  }

  /** Shifts, scales and gates of all blocks, and the last norm's shift and scale. */
  int modulations() {
    return 3 * transformer.singles() + 2 * 6 * transformer.layers() + 2;
  }

  /** Where those of a block of one stream begin. */
  int single(int block) {
    return 3 * block;
  }

  /** Those of the image's tokens in a block of two streams. */
  int image(int block) {
    return 3 * transformer.singles() + 6 * block;
  }

  /** Those of the text's. */
  int text(int block) {
    return image(transformer.layers() + block);
  }

  /** The last norm's. */
  int out() {
    return modulations() - 2;
  }
}
