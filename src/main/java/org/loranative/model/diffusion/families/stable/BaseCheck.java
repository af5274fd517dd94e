package org.loranative.model.diffusion.families.stable;

import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.weights.Weights;

/**
 * Whether the parts of a base fit each other and the graphs that are built of them: where a number
 * of one does not, or a tensor of the UNet would be left out, it is another kind of model.
 */
final class BaseCheck {
  private static final int MASK = 1;

  private final Path path;
  private final ClipEncoders text;
  private final UnetConfig unet;
  private final VaeConfig vae;

  private BaseCheck(Path path, StableDiffusion family, VaeConfig vae) {
    this.path = path;
    this.text = family.text();
    this.unet = family.denoiser().config();
    this.vae = vae;
  }

  /** The base, whose parts fit. */
  static DiffusionBase checked(Path path, StableDiffusion family, VaeConfig vae, Weights weights) {
    BaseCheck check = new BaseCheck(path, family, vae);
    check.channels();
    check.widths();
    check.divisions();
    return new DiffusionBase(path, family, vae, weights)
        .requireWhole(BaseCheck::isOfUnet, "Stable Diffusion 1, 2 and XL");
  }

  /** Whether a tensor, by the file's name, is the UNet's. */
  private static boolean isOfUnet(String name) {
    return name.startsWith(Unet.PREFIX) || name.startsWith(SgmNames.UNET);
  }

  private void channels() {
    int reads = unet.inChannels();
    int latent = vae.latentChannels();
    if (reads == 2 * latent + MASK) {
      throw wrong(
          "is an inpainting model (its UNet reads "
              + reads
              + " channels: latents, mask and masked image). Inpainting is not supported; name the"
              + " text-to-image model that it was made from.");
    }
    if (reads != latent) {
      throw wrong(
          "has a UNet that reads "
              + reads
              + " channels, but latents of "
              + latent
              + ". Models that read more than latents (image editing, depth, upscaling) are not"
              + " supported; name a text-to-image model.");
    }
    require(unet.outChannels(), latent, "the UNet's out_channels", "latent_channels");
  }

  private void widths() {
    int width = text.first().hidden() + text.second().map(ClipConfig::hidden).orElse(0);
    require(unet.contextWidth(), width, "the UNet's cross_attention_dim", "text encoders' width");
    text.second()
        .ifPresent(
            t ->
                require(
                    t.positions(),
                    text.tokens(),
                    "text_encoder_2's max_position_embeddings",
                    "text_encoder's"));
    boolean told = unet.sizeEmbedding() > 0;
    if (told != text.second().isPresent()) {
      throw wrong(
          told
              ? "has SDXL's UNet but not SDXL's second text encoder; the model is not whole."
              : "has two text encoders, but its UNet is not SDXL's; it is not supported.");
    }
    if (told) {
      int pooled = text.second().orElseThrow().hidden();
      require(
          unet.addedWidth(),
          pooled + Unet.SIZES * unet.sizeEmbedding(),
          "the UNet's projection_class_embeddings_input_dim",
          "width of pooled text and " + Unet.SIZES + " sizes");
    }
  }

  private void divisions() {
    for (UnetConfig.Level level : unet.levels()) {
      divides(unet.groups(), level.channels(), "the UNet's norm_num_groups");
      divides(level.heads(), level.channels(), "the UNet's attention heads");
    }
    vae.channels().forEach(c -> divides(vae.groups(), c, "VAE's norm_num_groups"));
    divides(text.first().heads(), text.first().hidden(), "the text encoder's attention heads");
    text.second()
        .ifPresent(t -> divides(t.heads(), t.hidden(), "text_encoder_2's attention heads"));
  }

  private void require(int actual, int expected, String what, String other) {
    if (actual != expected) {
      throw wrong("has " + actual + " as " + what + ", but " + expected + " as " + other + ".");
    }
  }

  private void divides(int parts, int whole, String what) {
    if (parts < 1 || whole % parts != 0) {
      throw wrong("has " + parts + " as " + what + ", which does not divide " + whole + ".");
    }
  }

  private UserException wrong(String what) {
    return new UserException("base_model " + path + " " + what);
  }
}
