package org.loranative.model.diffusion;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.model.Weights;

/** A folder in diffusers' layout: a folder for each part, with a config and tensors in it. */
final class DiffusersFolder {
  private static final String INDEX = "model_index.json";

  /** Pipelines whose UNet is one of Stable Diffusion 1, 2 or XL, as far as their names tell. */
  private static final String PIPELINES = "(?!StableDiffusion3)StableDiffusion.*Pipeline";

  /** Names that older versions of diffusers gave the VAE's attention. */
  private static final Map<String, String> OLD_ATTENTION =
      Map.of(
          ".query.", ".to_q.", ".key.", ".to_k.", ".value.", ".to_v.", ".proj_attn.", ".to_out.0.");

  private DiffusersFolder() {}

  static DiffusionBase open(Path folder, DiffusionBase.Options options) {
    requirePipeline(folder);
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    add(entries, Unet.PREFIX, folder.resolve("unet"), "diffusion_pytorch_model");
    add(entries, Vae.PREFIX, folder.resolve("vae"), "diffusion_pytorch_model");
    add(entries, DiffusionBase.TEXT, folder.resolve("text_encoder"), "model");
    ClipConfig text = ClipConfig.read(folder.resolve("text_encoder/config.json"));
    List<TokenizerPlace> places = new ArrayList<>();
    places.add(place(folder, options, "tokenizer", text));
    Optional<ClipConfig> second = Optional.empty();
    if (Files.exists(folder.resolve("text_encoder_2"))) {
      add(entries, DiffusionBase.TEXT_2, folder.resolve("text_encoder_2"), "model");
      second = Optional.of(ClipConfig.read(folder.resolve("text_encoder_2/config.json")));
      places.add(place(folder, options, "tokenizer_2", second.get()));
    }
    Path scheduler = folder.resolve("scheduler/scheduler_config.json");
    return new DiffusionBase(
        folder,
        UnetConfig.read(folder.resolve("unet/config.json")),
        VaeConfig.read(folder.resolve("vae/config.json")),
        text,
        second,
        options.apply(SchedulerConfig.read(scheduler), "scheduler_config.json"),
        new Weights(folder.toString(), entries, n -> n),
        places);
  }

  private static void requirePipeline(Path folder) {
    Path index = folder.resolve(INDEX);
    if (!Files.exists(index)) {
      throw new UserException(
          "base_model "
              + folder
              + " has no "
              + INDEX
              + "; name a folder in diffusers' layout, or a .safetensors file.");
    }
    Json json = Json.read(index);
    String pipeline = json.text("_class_name", "StableDiffusionPipeline");
    if (!pipeline.matches(PIPELINES)) {
      throw new UserException(
          "base_model "
              + folder
              + " is a "
              + pipeline
              + " ("
              + INDEX
              + "), which is not supported: Stable Diffusion 1, 2 and XL are.");
    }
    for (String part : List.of("unet", "vae", "text_encoder")) {
      if (!Files.isDirectory(folder.resolve(part))) {
        throw new UserException(
            "base_model "
                + folder
                + " has no folder \""
                + part
                + "\""
                + (part.equals("text_encoder") && Files.exists(folder.resolve("text_encoder_2"))
                    ? ": it is SDXL's refiner, which is not supported; name the base model."
                    : ", which every Stable Diffusion has; download the whole model."));
      }
    }
  }

  private static TokenizerPlace place(
      Path folder, DiffusionBase.Options options, String name, ClipConfig encoder) {
    return options
        .tokenizer()
        .map(n -> TokenizerPlace.foreign(n, true, name, encoder))
        .orElse(new TokenizerPlace(folder.resolve(name), false, false, encoder));
  }

  private static void add(
      Map<String, TensorEntry> entries, String prefix, Path folder, String stem) {
    Safetensors.readFolder(folder, stem)
        .tensors()
        .forEach((name, entry) -> entries.put(prefix + canonical(prefix, name), entry));
  }

  private static String canonical(String prefix, String name) {
    String canonical = name.startsWith("text_model.") ? name.substring(11) : name;
    if (prefix.equals(Vae.PREFIX)) {
      for (Map.Entry<String, String> old : OLD_ATTENTION.entrySet()) {
        canonical = canonical.replace(old.getKey(), old.getValue());
      }
    }
    return canonical;
  }
}
