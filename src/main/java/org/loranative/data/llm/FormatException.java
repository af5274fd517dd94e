package org.loranative.data.llm;

/** A record that its format cannot make sense of. */
public final class FormatException extends Exception {
  FormatException(String message) {
    super(message);
  }
}
