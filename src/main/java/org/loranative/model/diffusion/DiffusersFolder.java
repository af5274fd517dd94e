package org.loranative.model.diffusion;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * A folder in diffusers' layout: a folder for each part, with a config and tensors in it.
 *
 * @param pipeline the class that diffusers loads it as
 */
public record DiffusersFolder(Path folder, String pipeline) {
  public static final String INDEX = "model_index.json";

  public static DiffusersFolder of(Path folder) {
    Path index = folder.resolve(INDEX);
    if (!Files.exists(index)) {
      throw new UserException(
          "base_model "
              + folder
              + " has no "
              + INDEX
              + "; name a folder in diffusers' layout, or a .safetensors file."
              + (Files.exists(folder.resolve("config.json"))
                  ? " Language models need task_type: llm."
                  : ""));
    }
    return new DiffusersFolder(
        folder, PartConfig.read(index).text("_class_name", "StableDiffusionPipeline"));
  }

  public boolean has(String part) {
    return Files.isDirectory(folder.resolve(part));
  }

  /**
   * Refuses a download that is not whole.
   *
   * @param label of the family, for the sentence
   * @param advice what else may be said to its end
   */
  public void require(String label, String advice, String... parts) {
    for (String part : parts) {
      if (!has(part)) {
        throw new UserException(
            String.format(
                "base_model %s has no folder \"%s\", which every %s has; download the whole"
                    + " model%s.",
                folder, part, label, advice));
      }
    }
  }

  public Path config(String part) {
    return folder.resolve(part).resolve("config.json");
  }

  /**
   * A part's tensors, under the part's name.
   *
   * @param stem of the file that holds them
   */
  public Map<String, TensorEntry> tensors(String part, String stem) {
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    Safetensors.readFolder(folder.resolve(part), stem)
        .tensors()
        .forEach((name, entry) -> entries.put(part + "." + name, entry));
    return entries;
  }

  /** A CLIP's tensors, under the part's name and without that of its wrapper. */
  public Map<String, TensorEntry> clip(String part) {
    String wrapper = part + ".text_model.";
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    tensors(part, "model")
        .forEach(
            (name, e) ->
                entries.put(
                    name.startsWith(wrapper) ? part + "." + name.substring(wrapper.length()) : name,
                    e));
    return entries;
  }
}
