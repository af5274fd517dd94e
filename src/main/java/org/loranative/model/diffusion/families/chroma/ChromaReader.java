package org.loranative.model.diffusion.families.chroma;

import org.loranative.model.diffusion.DiffusionReader;

/** Opens Chroma. */
public final class ChromaReader {
  public static final DiffusionReader READER =
      new DiffusionReader(
          Chroma.LABEL,
          "Chroma(Img2Img|Inpaint)?Pipeline",
          ChromaFolder::open,
          ChromaFile::isOne,
          ChromaFile::open);

  private ChromaReader() {}
}
