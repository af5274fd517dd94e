package org.loranative.model.diffusion.parts;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.io.Gguf;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.VaeNames;

/** A checkpoint of one file with the parts that the user names elsewhere. */
public final class Assembly {
  /** What the tensors of transformers and UNets begin with in whole checkpoints. */
  private static final String DENOISER = "model.diffusion_model.";

  /** Tensors that tell a file which holds the denoiser alone, without that beginning. */
  private static final List<String> TELLTALES =
      List.of(
          "double_blocks.0.img_attn.qkv.weight",
          "joint_blocks.0.x_block.attn.qkv.weight",
          "noise_refiner.0.attention.qkv.weight",
          "input_blocks.0.0.weight");

  /** What newer checkpoints begin the VAE's names with. */
  private static final String NEW_VAE = "vae.";

  private Assembly() {}

  /** Whether a file is a diffusion model's. */
  public static boolean isDiffusion(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".safetensors")
        || name.endsWith(".gguf") && isBare(Gguf.read(file).tensors());
  }

  /** Whether it holds the denoiser alone, as its authors' code names it. */
  private static boolean isBare(Map<String, TensorEntry> tensors) {
    return TELLTALES.stream().anyMatch(tensors::containsKey);
  }

  /** The tensors under a whole checkpoint's names; the metadata is the first file's. */
  public static TensorFile of(Path path, BaseOptions options) {
    TensorFile file = PartFiles.read(path);
    Map<String, TensorEntry> tensors = whole(file.tensors());
    if (!options.textEncoders().isEmpty()) {
      NamedEncoders.read(options.textEncoders()).forEach(tensors::put);
    }
    if (options.vae().isPresent()) {
      tensors.keySet().removeIf(name -> name.startsWith(VaeNames.ROOT));
      tensors.putAll(NamedVae.read(options.vae().get()));
    }
    return new TensorFile(tensors, file.metadata());
  }

  private static Map<String, TensorEntry> whole(Map<String, TensorEntry> file) {
    boolean bare = isBare(file);
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    file.forEach(
        (name, entry) -> {
          boolean vae = name.startsWith(NEW_VAE);
          String rest = vae ? VaeNames.ROOT + name.substring(NEW_VAE.length()) : name;
          tensors.put(bare ? DENOISER + name : rest, entry);
        });
    return tensors;
  }
}
