package org.loranative.model.diffusion.families.stable;

import java.nio.file.Path;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionReader;

/** Opens Stable Diffusion 1, 2 and XL. */
public final class StableDiffusionReader implements DiffusionReader {
  /** Pipelines whose UNet is one of these, as far as their names tell. */
  private static final String PIPELINES = "(?!StableDiffusion3)StableDiffusion.*Pipeline";

  @Override
  public String label() {
    return "Stable Diffusion 1, 2 and XL";
  }

  @Override
  public boolean reads(DiffusersFolder folder) {
    return folder.pipeline().matches(PIPELINES);
  }

  @Override
  public DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    return StableDiffusionFolder.open(folder, options);
  }

  @Override
  public boolean reads(TensorFile file) {
    return file.tensors().containsKey(StableDiffusionFile.TELLTALE);
  }

  @Override
  public DiffusionBase open(Path path, TensorFile file, BaseOptions options) {
    return StableDiffusionFile.open(path, file, options);
  }
}
