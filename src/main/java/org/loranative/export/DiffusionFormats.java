package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.PeftFormat;
import org.loranative.model.diffusion.DiffusionBase;

/** Formats of diffusion models' adapters. */
public final class DiffusionFormats {
  private DiffusionFormats() {}

  public static List<AdapterFormat<DiffusionBase>> all() {
    return List.of(
        new OneFile("kohya", LoraFiles.Format.KOHYA),
        new OneFile("diffusers", LoraFiles.Format.DIFFUSERS),
        // ComfyUI's loader goes by kohya's names, and knows its DoRA, LoHa and LoKr.
        new OneFile("comfyui", LoraFiles.Format.KOHYA),
        new Peft());
  }

  /** A folder of the denoiser's adapter, as PeftModel loads it. */
  private record Peft() implements AdapterFormat<DiffusionBase> {
    @Override
    public String name() {
      return "peft";
    }

    @Override
    public Optional<String> ending() {
      return Optional.empty();
    }

    @Override
    public void write(
        DiffusionBase base, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
        throws IOException {
      String denoiser = base.family().names().parts().get(0) + ".";
      for (String path : layers.keySet()) {
        if (!path.startsWith(denoiser)) {
          throw new UserException(
              String.format(
                  "PEFT's folders hold an adapter of one network, and this one changes %s beside"
                      + " the denoiser; kohya and diffusers hold both.",
                  path));
        }
      }
      PeftFormat.Network network =
          new PeftFormat.Network(
              base.path().toString(), denoiser, Optional.empty(), base::isConvolution);
      List<Adapters.Target> all =
          base.layers().targets().stream().filter(t -> t.path().startsWith(denoiser)).toList();
      AtomicFolders.write(out, folder -> PeftFormat.write(folder, layers, all, network));
    }
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
          base.layers(),
          source.map(LoraFiles::metadata).orElse(base.family().metadata()));
    }
  }
}
