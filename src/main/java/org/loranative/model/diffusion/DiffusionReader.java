package org.loranative.model.diffusion;

import java.nio.file.Path;
import org.loranative.io.TensorFile;

/** Opens the bases of one family. */
public interface DiffusionReader {

  /** What it opens, for users. */
  String label();

  /** Whether a folder is of this family, by the pipeline that it names. */
  boolean reads(DiffusersFolder folder);

  DiffusionBase open(DiffusersFolder folder, BaseOptions options);

  /** Whether a checkpoint of one file is of this family, by its tensors. */
  boolean reads(TensorFile file);

  DiffusionBase open(Path path, TensorFile file, BaseOptions options);
}
