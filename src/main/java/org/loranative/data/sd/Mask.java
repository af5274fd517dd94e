package org.loranative.data.sd;

import java.awt.Color;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.image.Crop;
import org.loranative.image.ImageFile;
import org.loranative.image.Picture;
import org.loranative.io.Checksums;

/**
 * What of an image is learnt: where the mask is white all of it, where it is black nothing.
 *
 * @param file a PNG beside the image, or the image itself, whose opacity is the mask
 * @param opacity which of them
 * @param sha256 of the file
 */
public record Mask(Path file, boolean opacity, String sha256) {
  private static final String ENDING = "-mask.png";

  /** The mask of an image whose facts are known: the file beside it, else its alpha channel. */
  static Optional<Mask> of(Path image, ImageFacts facts) {
    Path beside = Path.of(stem(image) + ENDING);
    if (!Files.exists(beside)) {
      return ImageFile.open(image).hasOpacity()
          ? Optional.of(new Mask(image, true, facts.sha256()))
          : Optional.empty();
    }
    ImageFile mask = ImageFile.open(beside);
    if (mask.width() != facts.width() || mask.height() != facts.height()) {
      throw new UserException(
          String.format(
              "%s has %d x %d pixels, but its image %s %d x %d; make them equal.",
              beside,
              mask.width(),
              mask.height(),
              image.getFileName(),
              facts.width(),
              facts.height()));
    }
    return Optional.of(new Mask(beside, false, Checksums.of(beside)));
  }

  /** Whether a file is the mask of one of these images, which are given without their endings. */
  static boolean isMask(Path file, Set<String> stems) {
    String path = file.toString();
    return path.endsWith(ENDING)
        && stems.contains(path.substring(0, path.length() - ENDING.length()));
  }

  /** A path without its ending. */
  static String stem(Path file) {
    return file.toString().replaceFirst("\\.[^./]*$", "");
  }

  /**
   * The share of each place of each crop that is learnt: the mask's mean over squares of pixels,
   * row by row.
   *
   * @param side of the squares, which divides the crops' sides
   */
  public List<float[]> shares(List<Crop> crops, int side) {
    ImageFile image = ImageFile.open(file, Color.BLACK);
    return (opacity ? image.opacity() : image)
        .cut(crops).stream().map(picture -> means(picture, side)).toList();
  }

  /** Of the first channel in 8 bits, as kohya's scripts read masks: white stays exactly 1. */
  private static float[] means(Picture p, int side) {
    int across = p.width() / side;
    float[] means = new float[across * (p.height() / side)];
    for (int y = 0; y < p.height(); y++) {
      for (int x = 0; x < p.width(); x++) {
        float level = Math.round(p.rgb()[3 * (y * p.width() + x)] * 255);
        means[y / side * across + x / side] += level;
      }
    }
    for (int i = 0; i < means.length; i++) {
      means[i] /= 255 * side * side;
    }
    return means;
  }

  /** For people. */
  String describe() {
    return opacity ? "masked by its opacity" : "masked by " + file.getFileName();
  }
}
