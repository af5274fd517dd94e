package org.loranative.data;

import java.nio.file.Path;

/** Where a record came from. */
public record Source(Path file, long line) {
  @Override
  public String toString() {
    return file + (file.toString().endsWith(".parquet") ? " row " : " line ") + line;
  }
}
