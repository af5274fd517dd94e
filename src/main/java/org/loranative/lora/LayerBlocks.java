package org.loranative.lora;

import java.util.List;

/** Blocks of a diffusion model that users weigh an adapter by, as web UIs number them. */
public interface LayerBlocks {
  /** The orders in which weights are listed, each of another length. */
  List<List<String>> orders();

  /** The block of the layer at a path. */
  String block(String path);
}
