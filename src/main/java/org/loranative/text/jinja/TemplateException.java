package org.loranative.text.jinja;

/** A template that cannot be parsed or rendered, or that refused its input on purpose. */
public final class TemplateException extends RuntimeException {
  public TemplateException(String message) {
    super(message);
  }
}
