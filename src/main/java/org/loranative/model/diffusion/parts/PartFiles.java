package org.loranative.model.diffusion.parts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.Gguf;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/** Files of tensors as users have them: safetensors or GGUF, alone or in folders. */
final class PartFiles {
  private PartFiles() {}

  static TensorFile read(Path file) {
    String name = file.getFileName().toString();
    if (name.endsWith(".gguf")) {
      return Gguf.read(file);
    }
    if (name.matches(".*\\.(ckpt|pt|pth|bin)")) {
      throw new UserException(
          file
              + " is a pickle, which can run any program when it is read, so it is refused. Turn it"
              + " into safetensors: in a Stable Diffusion interface (checkpoint merger, \"save as"
              + " safetensors\"), or with Python's torch: save_file(torch.load(FILE,"
              + " weights_only=True)[\"state_dict\"], \"model.safetensors\") of"
              + " safetensors.torch.");
    }
    return Safetensors.read(file);
  }

  /**
   * The files that a path stands for: itself; a part of a model in Hugging Face's layout, however
   * many files it has, as one; of a model in diffusers' layout the folders whose names begin with
   * {@code part}; else all files of tensors in a folder.
   *
   * @param key the setting, for the sentence
   */
  static Map<Path, Map<String, TensorEntry>> under(Path path, String part, String key) {
    if (!Files.exists(path)) {
      throw new UserException(key + " " + path + " does not exist.");
    }
    Map<Path, Map<String, TensorEntry>> found = new LinkedHashMap<>();
    if (!Files.isDirectory(path)) {
      found.put(path, read(path).tensors());
    } else if (Files.exists(path.resolve("config.json"))) {
      found.put(path, Safetensors.readFolder(path, stem(path)).tensors());
    } else {
      List<Path> all = list(path);
      List<Path> parts =
          all.stream()
              .filter(f -> Files.isDirectory(f) && f.getFileName().toString().startsWith(part))
              .toList();
      parts.forEach(f -> found.put(f, Safetensors.readFolder(f, stem(f)).tensors()));
      all.stream()
          .filter(f -> parts.isEmpty() && f.toString().matches(".*\\.(safetensors|gguf)"))
          .forEach(f -> found.put(f, read(f).tensors()));
    }
    if (found.isEmpty()) {
      throw new UserException(
          key + " " + path + " holds no .safetensors or .gguf file and no folder " + part + ".");
    }
    return found;
  }

  /** How the files of a folder begin: diffusers' own parts, or transformers'. */
  private static String stem(Path folder) {
    return list(folder).stream()
            .anyMatch(f -> f.getFileName().toString().startsWith("diffusion_pytorch_model"))
        ? "diffusion_pytorch_model"
        : "model";
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UserException(folder + " cannot be read: " + e.getMessage(), e);
    }
  }
}
