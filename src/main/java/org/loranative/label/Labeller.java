package org.loranative.label;

import java.nio.file.Path;

/** Makes a caption for an image. */
public interface Labeller extends AutoCloseable {
  String caption(Path image);

  @Override
  void close();
}
