package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;

/** Opens Stable Diffusion 3 and 3.5. */
public final class Sd3Reader implements DiffusionReader {

  @Override
  public String label() {
    return "Stable Diffusion 3 and 3.5";
  }

  @Override
  public boolean reads(DiffusersFolder folder) {
    return folder.pipeline().matches("StableDiffusion3.*Pipeline");
  }

  @Override
  public DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    return Sd3Folder.open(folder, options);
  }

  @Override
  public boolean reads(TensorFile file) {
    return Sd3File.isOne(file);
  }

  @Override
  public DiffusionBase open(Path path, TensorFile file, BaseOptions options) {
    return Sd3File.open(path, file, options);
  }
}
