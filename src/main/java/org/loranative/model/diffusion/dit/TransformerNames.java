package org.loranative.model.diffusion.dit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.lora.LayerNames;

/**
 * The names that tools give to the layers of diffusion transformers: kohya's, which are the
 * original's, with layers as one that are one there; diffusers' and PEFT's, which ComfyUI reads
 * too; OneTrainer's.
 *
 * @param parts the transformer and the text encoders that adapters may be on
 */
public record TransformerNames(OriginalNames original, List<String> parts) implements LayerNames {

  public TransformerNames {
    parts = List.copyOf(parts);
  }

  @Override
  public String kohya(String path) {
    String inside = path.substring(path.indexOf('.') + 1);
    int part = parts.indexOf(path.substring(0, path.indexOf('.')));
    if (part > 0) {
      return "lora_te" + part + "_text_model_" + flat(inside);
    }
    return place(inside)
        .filter(p -> p.part().isEmpty())
        .map(p -> "lora_unet_" + flat(p.name()))
        .orElse("lora_transformer_" + flat(inside));
  }

  /** Where the original has the layer, if it computes the same there. */
  private Optional<OriginalNames.Place> place(String inside) {
    return original.isExchanged(inside) ? Optional.empty() : original.of(inside);
  }

  private boolean isTransformers(String path) {
    return path.startsWith(OriginalTensors.PREFIX);
  }

  @Override
  public Optional<Place> fused(String path) {
    if (!isTransformers(path)) {
      return Optional.empty();
    }
    return place(path.substring(OriginalTensors.PREFIX.length()))
        .filter(p -> p.part().isPresent())
        .map(
            p ->
                new Place(
                    "lora_unet_" + flat(p.name()),
                    List.of(p.name(), "diffusion_model." + p.name(), "transformer." + p.name()),
                    p.part().orElseThrow().index()));
  }

  @Override
  public List<String> read(String path) {
    String inside = path.substring(path.indexOf('.') + 1);
    List<String> names = new ArrayList<>(List.of(kohya(path), path));
    if (!isTransformers(path)) {
      names.add(path.substring(0, path.indexOf('.') + 1) + "text_model." + inside);
      return names;
    }
    names.add(inside);
    names.add("base_model.model." + inside);
    names.add("lora_transformer_" + flat(inside));
    place(inside)
        .filter(p -> p.part().isEmpty())
        .ifPresent(
            p -> {
              names.add(p.name());
              names.add("diffusion_model." + p.name());
            });
    return names;
  }

  private static String flat(String path) {
    return path.replace('.', '_');
  }
}
