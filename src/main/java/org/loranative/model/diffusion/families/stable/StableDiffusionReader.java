package org.loranative.model.diffusion.families.stable;

import org.loranative.model.diffusion.DiffusionReader;

/**
 * Opens Stable Diffusion 1, 2 and XL: pipelines whose UNet is one of these, as far as names tell.
 */
public final class StableDiffusionReader {
  public static final DiffusionReader READER =
      new DiffusionReader(
          "Stable Diffusion 1, 2 and XL",
          "(?!StableDiffusion3)StableDiffusion.*Pipeline",
          StableDiffusionFolder::open,
          file -> file.tensors().containsKey(StableDiffusionFile.TELLTALE),
          StableDiffusionFile::open);

  private StableDiffusionReader() {}
}
