package org.loranative.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.model.diffusion.BaseOptions;
import picocli.CommandLine.Option;

/** Parts of a diffusion model that lie in files of their own. */
final class PartOptions {
  @Option(
      names = "--text-encoder-path",
      paramLabel = "PATH",
      description =
          "A text encoder of a diffusion model of one file, where that does not hold it: a file, or"
              + " a folder with several. May be given again.")
  private List<Path> textEncoders = List.of();

  @Option(
      names = "--vae-path",
      paramLabel = "PATH",
      description = "The VAE of a diffusion model, where it has none or another is wanted.")
  private Optional<Path> vae = Optional.empty();

  BaseOptions options() {
    return options(Optional.empty());
  }

  BaseOptions options(Optional<Path> tokenizer) {
    return new BaseOptions(tokenizer, Optional.empty(), textEncoders, vae);
  }

  /** The same as settings of a configuration. */
  Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    if (!textEncoders.isEmpty()) {
      settings.put("text_encoder_path", textEncoders.stream().map(Path::toString).toList());
    }
    vae.ifPresent(path -> settings.put("vae_path", path.toString()));
    return settings;
  }

  boolean isEmpty() {
    return textEncoders.isEmpty() && vae.isEmpty();
  }
}
