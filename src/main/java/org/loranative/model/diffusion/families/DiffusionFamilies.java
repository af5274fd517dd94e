package org.loranative.model.diffusion.families;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorFile;
import org.loranative.model.MissingBase;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;
import org.loranative.model.diffusion.families.sd3.Sd3Reader;
import org.loranative.model.diffusion.families.stable.StableDiffusionReader;

/** All families of diffusion models that can be trained. */
public final class DiffusionFamilies {
  private static final List<DiffusionReader> READERS =
      List.of(new StableDiffusionReader(), new Sd3Reader());
  private static final String SUPPORTED =
      READERS.stream().map(DiffusionReader::label).collect(Collectors.joining(", "));

  /** Beginnings of tensors' names that tell what else a file is. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "model.diffusion_model.double_blocks.",
          "a FLUX model or one like it",
          "double_blocks.",
          "a FLUX model or one like it",
          "joint_blocks.",
          "the transformer of a Stable Diffusion 3 alone",
          "down_blocks.",
          "one part of a model in diffusers' layout",
          "encoder.",
          "one part of a model",
          "lora_",
          "a LoRA, not a base");

  private DiffusionFamilies() {}

  /** Opens a model with the tokenizers that lie with it. */
  public static DiffusionBase open(Path path) {
    return open(path, BaseOptions.none());
  }

  /** Opens a folder in diffusers' layout, or a checkpoint of one file. */
  public static DiffusionBase open(Path path, BaseOptions options) {
    if (!Files.exists(path)) {
      throw MissingBase.of(
          "base_model", path, "a folder in diffusers' layout or a .safetensors file");
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
    if (path.getFileName().toString().matches(".*\\.(ckpt|pt|pth|bin)")) {
      throw new UserException(
          path
              + " is a pickle, which can run any program when it is read, so it is refused. Turn it"
              + " into safetensors: in a Stable Diffusion interface (checkpoint merger, \"save as"
              + " safetensors\"), or with Python's torch: save_file(torch.load(FILE,"
              + " weights_only=True)[\"state_dict\"], \"model.safetensors\") of"
              + " safetensors.torch.");
    }
    if (path.getFileName().toString().endsWith(".gguf")) {
      throw new UserException(
          path + " is a GGUF file; those are read of language models only (task_type: llm).");
    }
    TensorFile file = Safetensors.read(path);
    return READERS.stream()
        .filter(r -> r.reads(file))
        .findFirst()
        .orElseThrow(() -> new UserException(unknown(path, file)))
        .open(path, file, options);
  }

  private static String unknown(Path path, TensorFile file) {
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
