package org.loranative.model.diffusion.families.sd3;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

/** A Stable Diffusion 3 in diffusers' layout; its T5 may have been left out. */
final class Sd3Folder {
  private static final String MODEL = "diffusion_pytorch_model";

  private Sd3Folder() {}

  static DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    Fitting.requireNoPrediction(options, Sd3Check.LABEL);
    Fitting.requireNoEncoders(options, folder);
    folder.require(
        Sd3Check.LABEL,
        " (its text_encoder_3, T5, may be left out)",
        "transformer",
        "vae",
        "text_encoder",
        "text_encoder_2");
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.putAll(folder.tensors("transformer", MODEL));
    VaePart vae = VaePart.of(folder, options);
    entries.putAll(vae.tensors());
    List<TokenizerPlace> places = new ArrayList<>();
    List<ClipConfig> clips = new ArrayList<>();
    for (String suffix : List.of("", "_2")) {
      entries.putAll(folder.clip("text_encoder" + suffix));
      ClipConfig clip = ClipConfig.read(folder.config("text_encoder" + suffix));
      clips.add(clip);
      places.add(
          TokenizerPlace.in(folder.folder(), options.tokenizer(), "tokenizer" + suffix, clip));
    }
    Optional<T5Place> third = Optional.empty();
    if (folder.has("text_encoder_3")) {
      entries.putAll(folder.tensors("text_encoder_3", "model"));
      third =
          Optional.of(
              new T5Place(
                  T5Config.read(folder.config("text_encoder_3")),
                  T5Place.in(folder.folder(), options, "tokenizer_3"),
                  Sd3Encoders.THIRD,
                  Sd3Encoders.T5_TOKENS,
                  false));
    }
    MmditConfig transformer = MmditConfig.read(folder.config("transformer"));
    Sd3 family =
        new Sd3(
            new Sd3Encoders(clips.get(0), clips.get(1), third, transformer.textWidth(), places),
            new MmditDenoiser(transformer),
            FlowScheduler.read(
                folder.folder().resolve("scheduler/scheduler_config.json"),
                FlowSpacing.TRAINED,
                TimestepSampling.LOGIT_NORMAL));
    return Sd3Check.checked(
        folder.folder(),
        family,
        vae.config(),
        new Weights(folder.folder().toString(), entries, vae.fileName()));
  }
}
