package org.loranative.model.diffusion.dit;

import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.parts.NamedVae;

/** A {@link RotaryTransformer} in Black Forest Labs' layout, in a checkpoint of one file. */
public final class RotaryFile {
  private static final String ROOT = OriginalTensors.ROOT;
  private static final String QKV = "double_blocks.0.img_attn.qkv.weight";

  /** Of every VAE that such a transformer was trained with so far. */
  private static final double VAE_SHIFT = 0.1159;

  private static final double VAE_SCALING = 0.3611;

  private RotaryFile() {}

  public static boolean isOne(TensorFile file) {
    return file.tensors().containsKey(ROOT + QKV);
  }

  /** Its numbers, off its tensors' shapes. */
  public static RotaryTransformer transformer(CheckpointFile file) {
    int width = file.side(ROOT + "img_in.weight", 0);
    int headDim = file.side(ROOT + "double_blocks.0.img_attn.norm.query_norm.scale", 0);
    return new RotaryTransformer(
        file.count(ROOT + "double_blocks."),
        file.count(ROOT + "single_blocks."),
        width / headDim,
        headDim,
        RotaryTransformer.axes(headDim),
        true,
        new RotaryTransformer.Widths(
            file.side(ROOT + "img_in.weight", 1),
            file.side(ROOT + "final_layer.linear.weight", 0),
            file.side(ROOT + "txt_in.weight", 1)));
  }

  /** The VAE that the user names, or the one in the file. */
  public static VaeConfig vae(CheckpointFile file, BaseOptions options) {
    return NamedVae.config(options).orElseGet(() -> file.vae(VAE_SHIFT, VAE_SCALING));
  }
}
