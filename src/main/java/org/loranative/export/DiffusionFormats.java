package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.DiffusionBase;

/** Formats of diffusion models' adapters. */
public final class DiffusionFormats {
  private DiffusionFormats() {}

  public static List<AdapterFormat<DiffusionBase>> all() {
    return List.of(
        new OneFile("kohya", LoraFiles.Format.KOHYA),
        new OneFile("diffusers", LoraFiles.Format.DIFFUSERS),
        // ComfyUI's loader goes by kohya's names, and knows its DoRA, LoHa and LoKr.
        new OneFile("comfyui", LoraFiles.Format.KOHYA));
  }

  private record OneFile(String name, LoraFiles.Format format)
      implements AdapterFormat<DiffusionBase> {
    @Override
    public Optional<String> ending() {
      return Optional.of(".safetensors");
    }

    @Override
    public void write(
        DiffusionBase base, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
        throws IOException {
      LoraFiles.write(
          out,
          format,
          layers,
          base.family().names(),
          source.map(LoraFiles::metadata).orElse(base.family().metadata()));
    }
  }
}
