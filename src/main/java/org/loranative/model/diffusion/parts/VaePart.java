package org.loranative.model.diffusion.parts;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.Vae;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.VaeNames;

/**
 * The VAE of a base in diffusers' layout, or the one that the user names in its place.
 *
 * @param tensors by their files' names
 * @param fileName diffusers' name to the file's
 */
public record VaePart(
    VaeConfig config, Map<String, TensorEntry> tensors, UnaryOperator<String> fileName) {

  public static VaePart of(DiffusersFolder folder, BaseOptions options) {
    Optional<Path> chosen = options.vae();
    VaeConfig own = VaeConfig.read(folder.config("vae"));
    if (chosen.isEmpty()) {
      return new VaePart(own, folder.tensors("vae", "diffusion_pytorch_model"), n -> n);
    }
    CheckpointFile file = new CheckpointFile(chosen.get(), NamedVae.read(chosen.get()));
    VaeConfig shaped =
        NamedVae.config(options).orElseGet(() -> file.vae(own.shift(), own.scaling()));
    return new VaePart(
        shaped,
        file.tensors(),
        name ->
            name.startsWith(Vae.PREFIX)
                ? VaeNames.of(name.substring(Vae.PREFIX.length()), file.tensors().keySet())
                : name);
  }
}
