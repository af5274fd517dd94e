package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.weights.Weights;

/** Whether the parts of a base fit each other and the graphs that are built of them. */
final class Sd3Check {
  static final String LABEL = "Stable Diffusion 3";

  private Sd3Check() {}

  /** The base, whose parts fit. */
  static DiffusionBase checked(Path path, Sd3 family, VaeConfig vae, Weights weights) {
    MmditConfig c = family.denoiser().config();
    Sd3Encoders text = family.text();
    int clips = text.first().hidden() + text.second().hidden();
    int pooled = text.first().projection() + text.second().projection();
    Fitting.require(
        path, c.inChannels(), vae.latentChannels(), "the transformer's in_channels", "latents");
    Fitting.require(
        path, c.outChannels(), vae.latentChannels(), "the transformer's out_channels", "latents");
    Fitting.require(
        path, c.pooledWidth(), pooled, "pooled_projection_dim", "both text encoders' pooled");
    Fitting.require(
        path,
        text.second().positions(),
        text.first().positions(),
        "text_encoder_2's max_position_embeddings",
        "text_encoder's");
    text.third()
        .ifPresent(
            t ->
                Fitting.require(
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
            name -> name.startsWith(Mmdit.PREFIX) || name.startsWith(OriginalTensors.ROOT),
            "Stable Diffusion 3 and 3.5");
  }
}
