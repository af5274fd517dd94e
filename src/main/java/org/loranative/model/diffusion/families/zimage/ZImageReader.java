package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Path;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;

/** Opens Z-Image and Z-Image-Turbo. */
public final class ZImageReader implements DiffusionReader {

  @Override
  public String label() {
    return ZImage.LABEL;
  }

  @Override
  public boolean reads(DiffusersFolder folder) {
    return folder.pipeline().matches("ZImage(Img2Img|Inpaint)?Pipeline");
  }

  @Override
  public DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    return ZImageFolder.open(folder, options);
  }

  @Override
  public boolean reads(TensorFile file) {
    return ZImageFile.isOne(file);
  }

  @Override
  public DiffusionBase open(Path path, TensorFile file, BaseOptions options) {
    return ZImageFile.open(path, file, options);
  }
}
