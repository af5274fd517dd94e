package org.loranative.model.diffusion.families;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.io.TensorFile;
import org.loranative.model.MissingBase;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;
import org.loranative.model.diffusion.families.chroma.ChromaReader;
import org.loranative.model.diffusion.families.flux.FluxReader;
import org.loranative.model.diffusion.families.sd3.Sd3Reader;
import org.loranative.model.diffusion.families.stable.StableDiffusionReader;
import org.loranative.model.diffusion.families.zimage.ZImageReader;
import org.loranative.model.diffusion.parts.Assembly;

/** All families of diffusion models that can be trained. */
public final class DiffusionFamilies {
  private static final List<DiffusionReader> READERS =
      List.of(
          StableDiffusionReader.READER,
          Sd3Reader.READER,
          FluxReader.READER,
          ChromaReader.READER,
          ZImageReader.READER);
  private static final String SUPPORTED =
      READERS.stream().map(DiffusionReader::label).collect(Collectors.joining(", "));

  /** Beginnings of tensors' names that tell what else a file is. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "model.diffusion_model.double_blocks.",
          "a relative of FLUX",
          "down_blocks.",
          "one part of a model in diffusers' layout",
          "encoder.",
          "one part of a model",
          "lora_",
          "a LoRA, not a base");

  private DiffusionFamilies() {}

  /** Whether a path names a diffusion model: diffusers' folder, or a checkpoint of one file. */
  public static boolean isOne(Path base) {
    return Files.exists(base.resolve(DiffusersFolder.INDEX))
        || Files.isRegularFile(base) && Assembly.isDiffusion(base);
  }

  /** Opens a model with the tokenizers that lie with it. */
  public static DiffusionBase open(Path path) {
    return open(path, BaseOptions.none());
  }

  /** Opens a folder in diffusers' layout, or a checkpoint of one file. */
  public static DiffusionBase open(Path path, BaseOptions options) {
    if (!Files.exists(path)) {
      throw MissingBase.of(
          "base_model", path, "a folder in diffusers' layout, or a .safetensors or .gguf file");
    }
    return Files.isDirectory(path)
        ? folder(DiffusersFolder.of(path), options)
        : file(path, options);
  }

  private static DiffusionBase folder(DiffusersFolder folder, BaseOptions options) {
    return READERS.stream()
        .filter(r -> r.reads(folder))
        .findFirst()
        .orElseThrow(
            () ->
                new UserException(
                    String.format(
                        "base_model %s is a %s (%s), which is not supported: %s are.",
                        folder.folder(), folder.pipeline(), DiffusersFolder.INDEX, SUPPORTED)))
        .open(folder, options);
  }

  private static DiffusionBase file(Path path, BaseOptions options) {
    TensorFile file = Assembly.of(path, options);
    return READERS.stream()
        .filter(r -> r.reads(file))
        .findFirst()
        .orElseThrow(() -> new UserException(unknown(path, file)))
        .open(path, file, options);
  }

  private static String unknown(Path path, TensorFile file) {
    Object architecture = file.metadata().get("general.architecture"); // GGUF's
    if (architecture != null) {
      return String.format(
          "%s is a GGUF file of the architecture %s, which is no diffusion model that is read here."
              + " Language models need task_type: llm.",
          path, architecture);
    }
    String other =
        OTHERS.entrySet().stream()
            .filter(e -> file.tensors().keySet().stream().anyMatch(k -> k.startsWith(e.getKey())))
            .map(e -> " (it looks like " + e.getValue() + ")")
            .findFirst()
            .orElse("");
    return String.format(
        "%s is no checkpoint of %s in the original layout%s. A model in diffusers' layout is named"
            + " by its folder.",
        path, SUPPORTED, other);
  }
}
