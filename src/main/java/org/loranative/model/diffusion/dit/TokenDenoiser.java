package org.loranative.model.diffusion.dit;

import java.util.List;
import org.loranative.model.diffusion.Denoiser;

/** A transformer whose tokens are squares of 2 × 2 latents, as the denoiser. */
public interface TokenDenoiser extends Denoiser {
  /** Side of the square of latents that is one token. */
  int PATCH = 2;

  /** Channels of a token. */
  int width();

  @Override
  default String part() {
    return "transformer";
  }

  /** Pictures of 1024 × 1024, by which the families that have these show themselves. */
  @Override
  default List<Integer> sampleSize() {
    return List.of(128, 128);
  }

  @Override
  default int leastSide() {
    return PATCH;
  }

  @Override
  default int step() {
    return PATCH;
  }

  @Override
  default boolean isSmall() {
    return width() < 1024;
  }
}
