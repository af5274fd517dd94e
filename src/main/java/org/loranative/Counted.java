package org.loranative;

/** Numbers of things, for people. */
public final class Counted {
  private Counted() {}

  /** {@code 1 image}, {@code 2 images}. */
  public static String of(long count, String thing) {
    return count + " " + thing + (count == 1 ? "" : "s");
  }
}
