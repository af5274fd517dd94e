package org.loranative.config;

import java.nio.charset.Charset;
import java.util.List;
import java.util.Optional;

/** Names of encodings as people write them: Java's, and Python's ({@code latin-1}). */
public final class CharsetName {
  private CharsetName() {}

  /** The encoding of a name; empty if there is none. */
  public static Optional<Charset> find(String name) {
    for (String spelling : List.of(name, name.replace('_', '-'), name.replaceAll("[-_]", ""))) {
      try {
        return Optional.of(Charset.forName(spelling));
      } catch (IllegalArgumentException e) {
        // another spelling
      }
    }
    return Optional.empty();
  }
}
