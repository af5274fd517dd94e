package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Path;
import java.util.List;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.dit.TransformerBlocks;

/**
 * Numbers of a ZImageTransformer2DModel.
 *
 * @param layers of image and text together
 * @param refiners blocks that image and text have for themselves before that
 * @param channels of the latents
 * @param textWidth of the language model's states
 * @param axes channels of a head that each axis turns
 */
record ZImageConfig(
    int width,
    int heads,
    int layers,
    int refiners,
    int channels,
    int textWidth,
    List<Integer> axes,
    double theta,
    float eps) {
  ZImageConfig {
    axes = List.copyOf(axes);
  }

  static ZImageConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", "ZImageTransformer2DModel");
    json.require("siglip_feat_dim");
    json.require("qk_norm", "true");
    json.require("t_scale", "1000", "1000.0");
    json.ignore("all_patch_size", "all_f_patch_size"); // the names of the tensors tell them
    json.ignore("n_kv_heads"); // diffusers has as many as heads
    json.ignore("axes_lens");
    ZImageConfig config =
        new ZImageConfig(
            json.integer("dim", 3840),
            json.integer("n_heads", 30),
            json.integer("n_layers", 30),
            json.integer("n_refiner_layers", 2),
            json.integer("in_channels", 16),
            json.integer("cap_feat_dim", 2560),
            json.has("axes_dims") ? json.numbers("axes_dims") : List.of(32, 48, 48),
            json.number("rope_theta", 256),
            (float) json.number("norm_eps", 1e-5));
    json.warnOfUnknownKeys();
    return config;
  }

  int headDim() {
    return width / heads;
  }

  /** The blocks, as users weigh adapters by them. */
  TransformerBlocks blocks() {
    return new TransformerBlocks(
        List.of(
            new TransformerBlocks.Row("NOISE", "noise_refiner", refiners),
            new TransformerBlocks.Row("CONTEXT", "context_refiner", refiners),
            new TransformerBlocks.Row("LAYER", "layers", layers)));
  }
}
