package org.loranative.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** What kind of model a path names, where no setting says so. */
final class Bases {
  private Bases() {}

  /** Whether it is a diffusion model: diffusers' folder, or a single file of safetensors. */
  static boolean isDiffusion(Path base) {
    return Files.exists(base.resolve("model_index.json"))
        || base.getFileName().toString().endsWith(".safetensors");
  }
}
