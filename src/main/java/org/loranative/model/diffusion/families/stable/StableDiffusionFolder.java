package org.loranative.model.diffusion.families.stable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.parts.VaePart;
import org.loranative.model.weights.Weights;

/** A Stable Diffusion 1, 2 or XL in diffusers' layout. */
final class StableDiffusionFolder {
  /** Names that older versions of diffusers gave the VAE's attention. */
  private static final Map<String, String> OLD_ATTENTION =
      Map.of(
          ".query.", ".to_q.", ".key.", ".to_k.", ".value.", ".to_v.", ".proj_attn.", ".to_out.0.");

  private StableDiffusionFolder() {}

  static DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    Fitting.requireNoEncoders(options, folder);
    requireParts(folder);
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.putAll(folder.tensors("unet", "diffusion_pytorch_model"));
    VaePart vae = VaePart.of(folder, options);
    vae.tensors().forEach((name, e) -> entries.put(newAttention(name), e));
    entries.putAll(folder.clip("text_encoder"));
    ClipConfig text = ClipConfig.read(folder.config("text_encoder"));
    List<TokenizerPlace> places = new ArrayList<>();
    places.add(TokenizerPlace.in(folder.folder(), options.tokenizer(), "tokenizer", text));
    Optional<ClipConfig> second = Optional.empty();
    if (folder.has("text_encoder_2")) {
      entries.putAll(folder.clip("text_encoder_2"));
      second = Optional.of(ClipConfig.read(folder.config("text_encoder_2")));
      places.add(
          TokenizerPlace.in(folder.folder(), options.tokenizer(), "tokenizer_2", second.get()));
    }
    Path scheduler = folder.folder().resolve("scheduler/scheduler_config.json");
    StableDiffusion family =
        new StableDiffusion(
            new ClipEncoders(text, second, places),
            new UnetDenoiser(UnetConfig.read(folder.config("unet"))),
            StableDiffusion.chosen(
                options, SchedulerConfig.read(scheduler), "scheduler_config.json"));
    return BaseCheck.checked(
        folder.folder(),
        family,
        vae.config(),
        new Weights(folder.folder().toString(), entries, vae.fileName()));
  }

  private static void requireParts(DiffusersFolder folder) {
    for (String part : List.of("unet", "vae", "text_encoder")) {
      if (!folder.has(part)) {
        throw new UserException(
            "base_model "
                + folder.folder()
                + " has no folder \""
                + part
                + "\""
                + (part.equals("text_encoder") && folder.has("text_encoder_2")
                    ? ": it is SDXL's refiner, which is not supported; name the base model."
                    : ", which every Stable Diffusion has; download the whole model."));
      }
    }
  }

  private static String newAttention(String name) {
    String renamed = name;
    for (Map.Entry<String, String> old : OLD_ATTENTION.entrySet()) {
      renamed = renamed.replace(old.getKey(), old.getValue());
    }
    return renamed;
  }
}
