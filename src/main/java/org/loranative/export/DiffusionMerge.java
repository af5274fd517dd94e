package org.loranative.export;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.lora.AdaptedLayer;
import org.loranative.model.diffusion.DiffusionBase;

/**
 * A diffusion model with adapters merged in, in the layout and with the names that the base has:
 * diffusers' folder or the original's single file.
 */
public final class DiffusionMerge implements Merge {
  private final DiffusionBase base;
  private final Map<String, AdaptedLayer> layers;

  public DiffusionMerge(DiffusionBase base, List<AdapterSource> adapters) {
    this.base = base;
    layers = Merge.layers(AdapterSource.mix(adapters, new AdapterBase.Diffusion(base)));
  }

  @Override
  public void write(Path out, String type) throws IOException {
    Merge.requireNew(out);
    TypeChoice choice = TypeChoice.of(type, false);
    if (base.path().toString().endsWith(".gguf")) {
      throw new UserException(
          base.path()
              + " is a GGUF file of a diffusion model, which merge does not write. Merge into the"
              + " model's .safetensors file.");
    }
    boolean file = out.getFileName().toString().endsWith(".safetensors");
    if (file == Files.isDirectory(base.path())) {
      throw new UserException(
          String.format(
              "--out is %s, but %s is %s: the merged model has the layout of its base.",
              out,
              base.path(),
              file
                  ? "a folder in diffusers' layout, so name a folder"
                  : "a single file, so name a file that ends in .safetensors"));
    }
    try (MergedTensors merged = new MergedTensors(base.weights(), layers)) {
      merged.requireWithin(base.path());
      if (file) {
        TensorFile source = Safetensors.read(base.path());
        Safetensors.stream(
            out, Merge.all(merged, base.weights(), source.tensors(), choice), source.texts());
      } else {
        AtomicFolders.write(out, folder -> folder(merged, choice, folder));
      }
    }
  }

  private void folder(MergedTensors merged, TypeChoice choice, Path to) throws IOException {
    ModelFolder.copyRest(base.path(), to);
    try (Stream<Path> parts = Files.list(base.path())) {
      for (Path part : parts.filter(Files::isDirectory).sorted().toList()) {
        for (String stem : List.of("model", "diffusion_pytorch_model")) {
          if (holds(part, stem)) {
            Map<String, TensorEntry> tensors = Safetensors.readFolder(part, stem).tensors();
            ShardedFile.write(
                to.resolve(part.getFileName().toString()),
                stem,
                Merge.all(merged, base.weights(), tensors, choice),
                2 * SHARD);
          }
        }
      }
    }
  }

  private static boolean holds(Path part, String stem) throws IOException {
    try (Stream<Path> files = Files.list(part)) {
      return files
          .map(f -> f.getFileName().toString())
          .anyMatch(f -> f.matches(stem + "[.-].*safetensors(\\.index\\.json)?"));
    }
  }
}
