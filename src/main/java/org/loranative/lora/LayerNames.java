package org.loranative.lora;

import java.util.List;
import java.util.Optional;

/** What tools call the layers of one family of diffusion models in adapters' files. */
public interface LayerNames {

  /**
   * A layer's place in one that files hold together with others.
   *
   * @param kohya the name of the whole that kohya's scripts write
   * @param others that files may have for it
   * @param part of the whole's output, from 0
   */
  record Place(String kohya, List<String> others, int part) {}

  /** Every name that a file may give to the layer at a path of this project's. */
  List<String> read(String path);

  /** The name that kohya's scripts write. */
  String kohya(String path);

  /** Where kohya's scripts train the layer at a path as a part of a larger one. */
  default Optional<Place> fused(String path) {
    return Optional.empty();
  }

  /**
   * Parts of the model, which PEFT configures each for itself: what paths begin with. The first is
   * the denoiser, whose adapter a folder of PEFT's may hold.
   */
  List<String> parts();
}
