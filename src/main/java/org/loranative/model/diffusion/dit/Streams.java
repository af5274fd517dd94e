package org.loranative.model.diffusion.dit;

import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.JoinRows;
import org.loranative.graph.ops.Window;

/**
 * Tokens of all images [B·N, C] and all texts [B·T, C], which meet in attention.
 *
 * @param images B
 */
public record Streams(Value image, Value text, long images) {
  long imageTokens() {
    return image.shape().rows() / images;
  }

  public long textTokens() {
    return text.shape().rows() / images;
  }

  /** Tokens of an image and its text. */
  long tokens() {
    return imageTokens() + textTokens();
  }

  /** One behind the other for each image, its own tokens first: [B·(N + T), C]. */
  public Value joined(Graph g) {
    return joined(g, image, text);
  }

  /** Values of the image's and the text's tokens, likewise. */
  Value joined(Graph g, Value ofImage, Value ofText) {
    return JoinRows.of(g, ofImage, ofText, images);
  }

  /** The image's rows of what was joined. */
  public Value imageRows(Graph g, Value joined) {
    return rows(g, joined, 0, imageTokens());
  }

  /** The text's. */
  public Value textRows(Graph g, Value joined) {
    return rows(g, joined, imageTokens(), textTokens());
  }

  private Value rows(Graph g, Value joined, long from, long count) {
    long width = joined.shape().last();
    return Window.crop(
        g, joined, new Window.Setting(images, tokens(), width, from, 0, count, width));
  }
}
