package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.weights.Weights;

/** A Stable Diffusion 3 in diffusers' layout; its T5 may have been left out. */
final class Sd3Folder {
  private static final String MODEL = "diffusion_pytorch_model";

  private Sd3Folder() {}

  static DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    Sd3Check.requireMeaning(options);
    for (String part : List.of("transformer", "vae", "text_encoder", "text_encoder_2")) {
      if (!folder.has(part)) {
        throw new UserException(
            String.format(
                "base_model %s has no folder \"%s\", which every Stable Diffusion 3 has; download"
                    + " the whole model (its text_encoder_3, T5, may be left out).",
                folder.folder(), part));
      }
    }
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.putAll(folder.tensors("transformer", MODEL));
    entries.putAll(folder.tensors("vae", MODEL));
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
                  folder.folder().resolve("tokenizer_3")));
    }
    MmditConfig transformer = MmditConfig.read(folder.config("transformer"));
    Sd3 family =
        new Sd3(
            new Sd3Encoders(clips.get(0), clips.get(1), third, transformer.textWidth(), places),
            new MmditDenoiser(transformer),
            flow(folder.folder().resolve("scheduler/scheduler_config.json")));
    return Sd3Check.checked(
        folder.folder(),
        family,
        VaeConfig.read(folder.config("vae")),
        new Weights(folder.folder().toString(), entries, n -> n));
  }

  /** The noise of training; samplers are chosen apart. */
  private static FlowMatching flow(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require(
        "_class_name", "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler");
    json.require("use_dynamic_shifting", "false");
    json.require("shift_terminal");
    json.require("invert_sigmas", "false");
    // Bounds of a shift that depends on the size, and how one sampler of diffusers walks.
    json.ignore("base_image_seq_len", "base_shift", "max_image_seq_len", "max_shift");
    json.ignore("stochastic_sampling", "time_shift_type", "use_beta_sigmas");
    json.ignore("use_exponential_sigmas", "use_karras_sigmas");
    FlowMatching flow =
        new FlowMatching(
            json.integer("num_train_timesteps", 1000),
            json.number("shift", 1),
            TimestepSampling.LOGIT_NORMAL);
    json.warnOfUnknownKeys();
    return flow;
  }
}
