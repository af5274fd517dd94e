package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.loranative.export.AdapterBase;
import org.loranative.export.Merge;
import org.loranative.lora.AdaptedLayer;
import picocli.CommandLine.Option;

/** Where an adapter is written, and how. */
final class AdapterOutput {
  @Option(
      names = "--out",
      required = true,
      paramLabel = "PATH",
      description = "The file (of peft: folder) to write; it must not exist.")
  private Path out;

  @Option(
      names = "--to",
      paramLabel = "FORMAT",
      description =
          "Of a diffusion model: kohya (default), comfyui, diffusers. Of a language model: peft"
              + " (default), gguf.")
  private Optional<String> format = Optional.empty();

  /** To be called before long work. */
  void check(AdapterBase base) {
    Merge.requireNew(out);
    base.requireFormat(format.orElse(base.usualFormat()), out);
  }

  /** Writes an adapter, with the metadata of {@code source}, if it is made of one. */
  void write(AdapterBase base, Optional<Path> source, Map<String, AdaptedLayer> layers)
      throws IOException {
    base.write(format.orElse(base.usualFormat()), source, layers, out);
    System.out.println(out);
  }
}
