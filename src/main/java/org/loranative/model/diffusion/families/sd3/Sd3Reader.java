package org.loranative.model.diffusion.families.sd3;

import org.loranative.model.diffusion.DiffusionReader;

/** Opens Stable Diffusion 3 and 3.5. */
public final class Sd3Reader {
  public static final DiffusionReader READER =
      new DiffusionReader(
          "Stable Diffusion 3 and 3.5",
          "StableDiffusion3.*Pipeline",
          Sd3Folder::open,
          Sd3File::isOne,
          Sd3File::open);

  private Sd3Reader() {}
}
