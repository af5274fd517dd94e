package org.loranative.model.diffusion.families.flux;

import org.loranative.model.diffusion.DiffusionReader;

/** Opens FLUX.1 dev and schnell. */
public final class FluxReader {
  public static final DiffusionReader READER =
      new DiffusionReader(
          Flux.LABEL,
          "Flux(Img2Img|Inpaint)?Pipeline",
          FluxFolder::open,
          FluxFile::isOne,
          FluxFile::open);

  private FluxReader() {}
}
