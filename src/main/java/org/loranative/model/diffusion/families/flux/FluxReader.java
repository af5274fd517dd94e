package org.loranative.model.diffusion.families.flux;

import java.nio.file.Path;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;

/** Opens FLUX.1 dev and schnell. */
public final class FluxReader implements DiffusionReader {

  @Override
  public String label() {
    return "FLUX.1";
  }

  @Override
  public boolean reads(DiffusersFolder folder) {
    return folder.pipeline().matches("Flux(Img2Img|Inpaint)?Pipeline");
  }

  @Override
  public DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    return FluxFolder.open(folder, options);
  }

  @Override
  public boolean reads(TensorFile file) {
    return FluxFile.isOne(file);
  }

  @Override
  public DiffusionBase open(Path path, TensorFile file, BaseOptions options) {
    return FluxFile.open(path, file, options);
  }
}
