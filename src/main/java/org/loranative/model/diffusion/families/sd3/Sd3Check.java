package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.weights.Weights;

/** Whether the parts of a base fit each other and the graphs that are built of them. */
final class Sd3Check {
  private Sd3Check() {}

  /** Refuses what other families' users may say. */
  static void requireMeaning(BaseOptions options) {
    if (options.prediction().isPresent()) {
      throw new UserException(
          "prediction_type has no meaning for Stable Diffusion 3, which predicts the velocity of"
              + " flow matching. Remove it.");
    }
  }

  /** The base, whose parts fit. */
  static DiffusionBase checked(Path path, Sd3 family, VaeConfig vae, Weights weights) {
    MmditConfig c = family.denoiser().config();
    Sd3Encoders text = family.text();
    int clips = text.first().hidden() + text.second().hidden();
    int pooled = text.first().projection() + text.second().projection();
    require(path, c.inChannels(), vae.latentChannels(), "the transformer's in_channels", "latents");
    require(
        path, c.outChannels(), vae.latentChannels(), "the transformer's out_channels", "latents");
    require(path, c.pooledWidth(), pooled, "pooled_projection_dim", "both text encoders' pooled");
    require(
        path,
        text.second().positions(),
        text.first().positions(),
        "text_encoder_2's max_position_embeddings",
        "text_encoder's");
    text.third()
        .ifPresent(
            t ->
                require(
                    path,
                    c.textWidth(),
                    t.config().hidden(),
                    "joint_attention_dim",
                    "text_encoder_3's d_model"));
    if (clips > c.textWidth()) {
      throw new UserException(
          String.format(
              "base_model %s has text encoders of %d channels together, but the transformer reads"
                  + " %d.",
              path, clips, c.textWidth()));
    }
    return new DiffusionBase(path, family, vae, weights)
        .requireWhole(
            name -> name.startsWith(Mmdit.PREFIX) || name.startsWith(Sd3File.TRANSFORMER),
            "Stable Diffusion 3 and 3.5");
  }

  private static void require(Path path, int actual, int expected, String what, String other) {
    if (actual != expected) {
      throw new UserException(
          String.format(
              "base_model %s has %d as %s, but %d as %s.", path, actual, what, expected, other));
    }
  }
}
