package org.loranative.model.diffusion.families.flux;

import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.FlowScheduler;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.parts.VaePart;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Place;
import org.loranative.model.weights.Weights;

/** A FLUX.1 in diffusers' layout. */
final class FluxFolder {
  private static final String MODEL = "diffusion_pytorch_model";

  private FluxFolder() {}

  static DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    Fitting.requireNoPrediction(options, Flux.LABEL);
    Fitting.requireNoEncoders(options, folder);
    folder.require(Flux.LABEL, "", "transformer", "vae", "text_encoder", "text_encoder_2");
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.putAll(folder.tensors("transformer", MODEL));
    VaePart vae = VaePart.of(folder, options);
    entries.putAll(vae.tensors());
    entries.putAll(folder.clip("text_encoder"));
    entries.putAll(folder.tensors("text_encoder_2", "model"));
    ClipConfig clip = ClipConfig.read(folder.config("text_encoder"));
    FluxEncoders text =
        new FluxEncoders(
            clip,
            TokenizerPlace.in(folder.folder(), options.tokenizer(), "tokenizer", clip),
            new T5Place(
                T5Config.read(folder.config("text_encoder_2")),
                T5Place.in(folder.folder(), options, "tokenizer_2"),
                FluxEncoders.T5,
                FluxEncoders.T5_TOKENS,
                false));
    Flux family =
        new Flux(
            text,
            new FluxDenoiser(FluxConfig.read(folder.config("transformer"))),
            FlowScheduler.read(
                folder.folder().resolve("scheduler/scheduler_config.json"),
                FlowSpacing.EVEN,
                TimestepSampling.LOGIT_NORMAL));
    return Flux.checked(
        folder.folder(),
        family,
        vae.config(),
        new Weights(folder.folder().toString(), entries, vae.fileName()));
  }
}
