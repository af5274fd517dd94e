package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.loranative.io.TensorFile;

/**
 * Opens the bases of one family.
 *
 * @param label what it opens, for users
 * @param pipelines a pattern of the classes that diffusers loads its folders as
 * @param isOne whether a checkpoint of one file is of this family, by its tensors
 */
public record DiffusionReader(
    String label,
    String pipelines,
    BiFunction<DiffusersFolder, BaseOptions, DiffusionBase> folders,
    Predicate<TensorFile> isOne,
    Files files) {

  /** Opens a checkpoint of one file. */
  public interface Files {
    DiffusionBase open(Path path, TensorFile file, BaseOptions options);
  }

  /** Whether a folder is of this family, by the pipeline that it names. */
  public boolean reads(DiffusersFolder folder) {
    return folder.pipeline().matches(pipelines);
  }

  public DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    return folders.apply(folder, options);
  }

  public boolean reads(TensorFile file) {
    return isOne.test(file);
  }

  public DiffusionBase open(Path path, TensorFile file, BaseOptions options) {
    return files.open(path, file, options);
  }
}
