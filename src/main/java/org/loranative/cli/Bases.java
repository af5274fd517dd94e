package org.loranative.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.loranative.UserException;
import org.loranative.export.AdapterBase;
import org.loranative.model.MissingBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.llm.LlmBase;

/** What kind of model a path names, where no setting says so. */
final class Bases {
  private Bases() {}

  /** Says of one that is not there that it is the option's. */
  static void require(Path base, String expected) {
    if (!Files.exists(base)) {
      throw MissingBase.of("--base", base, expected);
    }
  }

  /** Whether it is a diffusion model: diffusers' folder, or a single file of safetensors. */
  static boolean isDiffusion(Path base) {
    if (!Files.exists(base)) {
      throw MissingBase.of(
          "The model",
          base,
          "a Hugging Face folder, a .gguf file, or a Stable Diffusion model (diffusers' folder or"
              + " one .safetensors file)");
    }
    return DiffusionFamilies.isOne(base);
  }

  /**
   * The model, as those see it who change its adapters.
   *
   * @param adapters these
   */
  static AdapterBase open(Path base, PartOptions parts, List<Path> adapters) {
    if (isDiffusion(base)) {
      return new AdapterBase.Diffusion(DiffusionFamilies.open(base, parts.options()));
    }
    if (!parts.isEmpty()) {
      throw new UserException(
          "--text-encoder-path and --vae-path are for diffusion models; "
              + base
              + " is a language model. Leave them out.");
    }
    return new AdapterBase.Language(LlmBase.open(base, adapters));
  }
}
