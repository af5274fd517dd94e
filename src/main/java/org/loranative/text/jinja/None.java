package org.loranative.text.jinja;

/** JinjaValues that Java has no word for: Python's None, and a name or item that is not there. */
enum None {
  NONE,
  UNDEFINED;

  @Override
  public String toString() {
    return this == NONE ? "None" : "";
  }
}
