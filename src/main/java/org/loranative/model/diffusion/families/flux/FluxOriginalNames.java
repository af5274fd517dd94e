package org.loranative.model.diffusion.families.flux;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.model.diffusion.dit.OriginalNames;
import org.loranative.model.diffusion.dit.RotaryNames;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/** What Black Forest Labs' own code calls FLUX.1's layers. */
record FluxOriginalNames(RotaryNames names) implements OriginalNames {
  private static final Map<String, String> OUTSIDE = new LinkedHashMap<>();

  static {
    OUTSIDE.put("x_embedder", "img_in");
    OUTSIDE.put("context_embedder", "txt_in");
    OUTSIDE.put("time_text_embed.timestep_embedder.linear_1", "time_in.in_layer");
    OUTSIDE.put("time_text_embed.timestep_embedder.linear_2", "time_in.out_layer");
    OUTSIDE.put("time_text_embed.guidance_embedder.linear_1", "guidance_in.in_layer");
    OUTSIDE.put("time_text_embed.guidance_embedder.linear_2", "guidance_in.out_layer");
    OUTSIDE.put("time_text_embed.text_embedder.linear_1", "vector_in.in_layer");
    OUTSIDE.put("time_text_embed.text_embedder.linear_2", "vector_in.out_layer");
    OUTSIDE.put("norm_out.linear", "final_layer.adaLN_modulation.1");
    OUTSIDE.put("proj_out", "final_layer.linear");
  }

  FluxOriginalNames(RotaryTransformer transformer) {
    this(new RotaryNames(transformer, OUTSIDE));
  }

  @Override
  public Optional<Place> of(String path) {
    return names.of(path);
  }

  @Override
  public List<String> parts() {
    return names.parts();
  }

  /** The original makes the shift first and the scale behind it, diffusers the other way round. */
  @Override
  public boolean isExchanged(String path) {
    return path.equals("norm_out.linear");
  }
}
