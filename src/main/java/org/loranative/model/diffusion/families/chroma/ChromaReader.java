package org.loranative.model.diffusion.families.chroma;

import java.nio.file.Path;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;

/** Opens Chroma. */
public final class ChromaReader implements DiffusionReader {

  @Override
  public String label() {
    return Chroma.LABEL;
  }

  @Override
  public boolean reads(DiffusersFolder folder) {
    return folder.pipeline().matches("Chroma(Img2Img|Inpaint)?Pipeline");
  }

  @Override
  public DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    return ChromaFolder.open(folder, options);
  }

  @Override
  public boolean reads(TensorFile file) {
    return ChromaFile.isOne(file);
  }

  @Override
  public DiffusionBase open(Path path, TensorFile file, BaseOptions options) {
    return ChromaFile.open(path, file, options);
  }
}
