package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.lora.Adapters;
import org.loranative.model.Family;

/** How Hugging Face folders of a family have experts, and what else a GGUF has otherwise. */
public record FolderExperts(Family family) {
  private static final String EXPERTS = ".experts.";

  /** Whether all that a layer is made of is one tensor. */
  public boolean areTogether(Adapters.Target layer) {
    return areTransposed() || !layer.path().contains(".mlp" + EXPERTS);
  }

  /** Whether their sides are exchanged there: [E, in, out]. */
  public boolean areTransposed() {
    return family.transposedExperts();
  }

  /** The name of that tensor. */
  public String together(Adapters.Target layer) {
    return FolderNames.inFolder(family, layer.path()) + (layer.experts() > 0 ? "" : ".weight");
  }

  /** The name of all experts' biases. */
  public String bias(Adapters.Target layer) {
    return together(layer) + "_bias";
  }

  /**
   * Tensors of one expert.
   *
   * @param path of the layer of all
   * @param out rows of its matrix
   */
  public List<GgufNames.Part> parts(String path, int expert, long out) {
    List<GgufNames.Part> parts = new ArrayList<>();
    for (Halves.Half half : Halves.of(path, out, family.clampedExperts())) {
      String own = half.path().replace(EXPERTS, EXPERTS + expert + ".");
      String name = FolderNames.inFolder(family, own + ".weight");
      parts.add(new GgufNames.Part(name, half.rows(), half.ours()));
    }
    return parts;
  }
}
