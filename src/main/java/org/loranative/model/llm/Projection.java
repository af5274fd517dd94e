package org.loranative.model.llm;

/**
 * A linear layer within a layer of the model.
 *
 * @param in columns and
 * @param out rows of its weight, 0 for what the file has
 */
record Projection(String name, long in, long out) {
  /** The same by its whole path. */
  Projection under(String path) {
    return new Projection(path + name, in, out);
  }
}
