package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.loranative.StoppedException;
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
      description = "The file (of peft: the folder) to write; it must not exist.")
  private Path out;

  @Option(
      names = "--to",
      paramLabel = "FORMAT",
      description =
          "Of a diffusion model: kohya (default), comfyui, diffusers, peft. Of a language model:"
              + " peft (default), gguf.")
  private Optional<String> format = Optional.empty();

  /** To be called before long work. */
  void check(AdapterBase base) {
    Merge.requireNew(out);
    base.requireFormat(format.orElse(base.usualFormat()), out);
  }

  /** Does long work that comes before; where it is stopped there is nothing to go on from. */
  static <T> T before(Supplier<T> work) {
    try {
      return work.get();
    } catch (StoppedException e) {
      throw new StoppedException("Stopped; nothing was written.");
    }
  }

  /** Writes an adapter, with the metadata of {@code source}, if it is made of one. */
  void write(AdapterBase base, Optional<Path> source, Map<String, AdaptedLayer> layers)
      throws IOException {
    base.write(format.orElse(base.usualFormat()), source, layers, out);
    System.out.println(out);
  }
}
