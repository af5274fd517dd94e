package org.loranative.model.diffusion.parts;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.VaeNames;

/** A VAE that the user names: its authors' names, a whole checkpoint's, or diffusers'. */
public final class NamedVae {
  private static final String KEY = "vae_path";

  private NamedVae() {}

  /** What the VAE that the user names says of itself, if it is a folder in diffusers' layout. */
  public static Optional<VaeConfig> config(BaseOptions options) {
    return options.vae().stream()
        .flatMap(path -> Stream.of(path.resolve("vae/config.json"), path.resolve("config.json")))
        .filter(Files::exists)
        .findFirst()
        .map(VaeConfig::read);
  }

  /** Its tensors under the names of whole checkpoints. */
  public static Map<String, TensorEntry> read(Path path) {
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    Map<Path, Map<String, TensorEntry>> files = PartFiles.under(path, "vae", KEY);
    if (files.size() > 1) {
      throw new UserException(
          KEY + " " + path + " holds " + files.size() + " files; name the one that is the VAE.");
    }
    Map<String, TensorEntry> file = files.values().iterator().next();
    Set<String> names = file.keySet();
    boolean diffusers = names.stream().anyMatch(n -> n.startsWith("decoder.up_blocks."));
    Set<String> levels =
        names.stream()
            .filter(n -> n.startsWith("decoder.up_blocks."))
            .map(n -> n.split("\\.")[2])
            .collect(Collectors.toCollection(TreeSet::new));
    file.forEach(
        (name, entry) -> {
          String inside =
              name.startsWith(VaeNames.ROOT)
                  ? name.substring(VaeNames.ROOT.length())
                  : name.startsWith("vae.") ? name.substring("vae.".length()) : name;
          if (inside.matches("(encoder|decoder|quant_conv|post_quant_conv)\\..*")) {
            tensors.put(
                diffusers ? VaeNames.of(inside, levels.size()) : VaeNames.ROOT + inside, entry);
          }
        });
    if (!tensors.containsKey(VaeNames.ROOT + "decoder.conv_in.weight")) {
      throw new UserException(
          KEY
              + " "
              + path
              + " holds no VAE (decoder.conv_in.weight); name its file, or a folder in diffusers'"
              + " layout.");
    }
    return tensors;
  }
}
