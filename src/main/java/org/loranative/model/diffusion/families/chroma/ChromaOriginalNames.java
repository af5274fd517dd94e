package org.loranative.model.diffusion.families.chroma;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.model.diffusion.dit.OriginalNames;
import org.loranative.model.diffusion.dit.RotaryNames;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/** What Chroma's own code calls its layers. */
record ChromaOriginalNames(RotaryNames names) implements OriginalNames {
  private static final Map<String, String> OUTSIDE =
      Map.of(
          "x_embedder", "img_in",
          "context_embedder", "txt_in",
          "proj_out", "final_layer.linear");
  private static final String APPROXIMATOR = "distilled_guidance_layer.";

  ChromaOriginalNames(RotaryTransformer transformer) {
    this(new RotaryNames(transformer, OUTSIDE));
  }

  @Override
  public Optional<Place> of(String path) {
    if (!path.startsWith(APPROXIMATOR)) {
      return names.of(path);
    }
    String name =
        path.replace(".linear_1", ".in_layer")
            .replace(".linear_2", ".out_layer")
            .replaceFirst("(norms\\.\\d+)\\.weight$", "$1.scale");
    return Optional.of(new Place(name, Optional.empty()));
  }

  @Override
  public List<String> parts() {
    return names.parts();
  }

  @Override
  public boolean isExchanged(String path) {
    return names.isExchanged(path);
  }
}
