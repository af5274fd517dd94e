package org.loranative.model.diffusion;

/**
 * Where an image comes from: the size of its original, and the part of it, once enlarged or shrunk,
 * that is shown.
 */
public record Framing(
    long originalHeight, long originalWidth, long top, long left, long height, long width) {

  /** An image that was neither scaled nor cropped. */
  public static Framing whole(long height, long width) {
    return new Framing(height, width, 0, 0, height, width);
  }
}
