package org.loranative.train;

import java.io.IOException;

/** The same prompts now and then, so that early and late can be compared. */
public interface Previews extends AutoCloseable {
  void write(int step, Tracker tracker) throws IOException;

  @Override
  void close();
}
