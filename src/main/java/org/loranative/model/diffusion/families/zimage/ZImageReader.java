package org.loranative.model.diffusion.families.zimage;

import org.loranative.model.diffusion.DiffusionReader;

/** Opens Z-Image and Z-Image-Turbo. */
public final class ZImageReader {
  public static final DiffusionReader READER =
      new DiffusionReader(
          ZImage.LABEL,
          "ZImage(Img2Img|Inpaint)?Pipeline",
          ZImageFolder::open,
          ZImageFile::isOne,
          ZImageFile::open);

  private ZImageReader() {}
}
