package org.loranative.model.diffusion.families.sd3;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.lora.LayerNames;

/**
 * The names that tools give to the layers of Stable Diffusion 3: kohya's, which are the original's,
 * with q, k and v as one; diffusers' and PEFT's, which ComfyUI reads too; OneTrainer's.
 *
 * @param layers of the transformer
 */
record Sd3Names(int layers) implements LayerNames {
  private static final String TRANSFORMER = "transformer.";

  @Override
  public List<String> parts() {
    return List.of("transformer", "text_encoder", "text_encoder_2");
  }

  @Override
  public String kohya(String path) {
    String inside = path.substring(path.indexOf('.') + 1);
    if (path.startsWith("text_encoder.")) {
      return "lora_te1_text_model_" + flat(inside);
    }
    if (path.startsWith("text_encoder_2.")) {
      return "lora_te2_text_model_" + flat(inside);
    }
    return original(inside)
        .filter(p -> p.part().isEmpty())
        .map(p -> "lora_unet_" + flat(p.name()))
        .orElse("lora_transformer_" + flat(inside));
  }

  /** Where the original has the layer, if it computes the same there. */
  private Optional<OriginalNames.Place> original(String inside) {
    // The original makes the shift first and the scale behind it, diffusers the other way round.
    boolean exchanged =
        inside.equals("norm_out.linear")
            || inside.equals("transformer_blocks." + (layers - 1) + ".norm1_context.linear");
    return exchanged ? Optional.empty() : OriginalNames.of(inside);
  }

  @Override
  public Optional<Place> fused(String path) {
    if (!path.startsWith(TRANSFORMER)) {
      return Optional.empty();
    }
    return original(path.substring(TRANSFORMER.length()))
        .filter(p -> p.part().isPresent())
        .map(
            p ->
                new Place(
                    "lora_unet_" + flat(p.name()),
                    List.of(p.name(), "diffusion_model." + p.name(), "transformer." + p.name()),
                    p.part().orElseThrow()));
  }

  @Override
  public List<String> read(String path) {
    String inside = path.substring(path.indexOf('.') + 1);
    List<String> names = new ArrayList<>(List.of(kohya(path), path));
    if (!path.startsWith(TRANSFORMER)) {
      names.add(path.substring(0, path.indexOf('.') + 1) + "text_model." + inside);
      return names;
    }
    names.add(inside);
    names.add("base_model.model." + inside);
    names.add("lora_transformer_" + flat(inside));
    original(inside)
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
