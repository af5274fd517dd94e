package org.loranative.lora;

import java.util.List;

/** What tools call the layers of one family of diffusion models in adapters' files. */
public interface LayerNames {

  /** Every name that a file may give to the layer at a path of this project's. */
  List<String> read(String path);

  /** The name that kohya's scripts write. */
  String kohya(String path);

  /**
   * Parts of the model, which PEFT configures each for itself: what paths begin with. The first is
   * the denoiser, whose adapter a folder of PEFT's may hold.
   */
  List<String> parts();
}
