package org.loranative.model.diffusion.families.chroma;

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
import org.loranative.model.diffusion.parts.VaePart;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Place;
import org.loranative.model.weights.Weights;

/** A Chroma in diffusers' layout. */
final class ChromaFolder {
  private ChromaFolder() {}

  static DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    Fitting.requireNoPrediction(options, Chroma.LABEL);
    Fitting.requireNoEncoders(options, folder);
    folder.require(Chroma.LABEL, "", "transformer", "vae", "text_encoder");
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.putAll(folder.tensors("transformer", "diffusion_pytorch_model"));
    VaePart vae = VaePart.of(folder, options);
    entries.putAll(vae.tensors());
    entries.putAll(folder.tensors("text_encoder", "model"));
    ChromaEncoders text =
        new ChromaEncoders(
            new T5Place(
                T5Config.read(folder.config("text_encoder")),
                T5Place.in(folder.folder(), options, "tokenizer"),
                ChromaEncoders.T5,
                ChromaEncoders.T5_TOKENS,
                true));
    Chroma family =
        new Chroma(
            text,
            new ChromaDenoiser(ChromaConfig.read(folder.config("transformer"))),
            FlowScheduler.read(
                folder.folder().resolve("scheduler/scheduler_config.json"),
                FlowSpacing.EVEN,
                TimestepSampling.SIGMOID));
    return Chroma.checked(
        folder.folder(),
        family,
        vae.config(),
        new Weights(folder.folder().toString(), entries, vae.fileName()));
  }
}
