package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import java.util.List;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.dit.OriginalNames;

/**
 * Numbers of an SD3Transformer2DModel.
 *
 * @param sampleSize height and width of the latents that it was made for
 * @param patch side of the square of latents that is one token
 * @param textWidth of each text token
 * @param pooledWidth of the whole text's state
 * @param positions side of the square of tokens that has learnt positions
 * @param dual layers whose image tokens have a second attention of their own
 * @param normalizesQk whether queries and keys pass a norm
 * @param shiftFirst whether the norm behind the last block, and that of the text in it, are made a
 *     shift and then a scale, as in the original files; in diffusers' the scale comes first
 */
record MmditConfig(
    int sampleSize,
    int patch,
    int inChannels,
    int outChannels,
    int layers,
    int heads,
    int headDim,
    int textWidth,
    int pooledWidth,
    int positions,
    List<Integer> dual,
    boolean normalizesQk,
    boolean shiftFirst) {

  int width() {
    return heads * headDim;
  }

  OriginalNames names() {
    return new Sd3OriginalNames(layers, width());
  }

  static MmditConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", "SD3Transformer2DModel");
    json.require("qk_norm", "rms_norm");
    int heads = json.integer("num_attention_heads");
    int headDim = json.integer("attention_head_dim");
    // The text's tokens are brought to the width of the image's.
    json.require("caption_projection_dim", String.valueOf(heads * headDim));
    int channels = json.integer("in_channels", 16);
    MmditConfig config =
        new MmditConfig(
            json.integer("sample_size", 128),
            json.integer("patch_size", 2),
            channels,
            json.integer("out_channels", channels),
            json.integer("num_layers"),
            heads,
            headDim,
            json.integer("joint_attention_dim", 4096),
            json.integer("pooled_projection_dim", 2048),
            json.integer("pos_embed_max_size", 96),
            json.numbers("dual_attention_layers"),
            json.has("qk_norm"),
            false);
    json.warnOfUnknownKeys();
    return config;
  }
}
