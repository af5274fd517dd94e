package org.loranative.data.sd;

import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.image.Crop;
import org.loranative.image.ImageFile;
import org.loranative.image.Picture;
import org.loranative.random.Philox;

/**
 * A training image, looked at: what it is brought to and how.
 *
 * @param crops what an epoch draws one of
 * @param mask none: all of it is learnt
 */
public record PreparedImage(
    Captioned captioned,
    ImageFacts facts,
    Buckets.Size size,
    List<Crop> crops,
    Optional<Mask> mask,
    Options options) {
  private static final int RANDOM_CROPS = 4;

  /**
   * How images are prepared.
   *
   * @param background that transparent images are shown on
   * @param mirror whether each crop has a mirrored twin
   * @param randomCrop several places instead of the middle, where there is room
   * @param seed of the places
   * @param masked whether images may have a mask
   */
  public record Options(
      Buckets buckets,
      Color background,
      boolean mirror,
      boolean randomCrop,
      long seed,
      boolean masked) {

    List<Crop> crops(ImageFacts facts, Buckets.Size size) {
      Crop middle = Crop.middle(facts.width(), facts.height(), size.width(), size.height());
      List<Crop> crops = new ArrayList<>();
      boolean room = middle.scaledWidth() > size.width() || middle.scaledHeight() > size.height();
      if (randomCrop && room) {
        int key = Integer.parseUnsignedInt(facts.sha256().substring(0, 8), 16);
        for (int i = 0; i < RANDOM_CROPS; i++) {
          int[] words = Philox.words(seed, i, Philox.CROP, key, 0);
          crops.add(middle.at(Philox.uniform(words[0]), Philox.uniform(words[1])));
        }
      } else {
        crops.add(middle);
      }
      if (mirror) {
        List.copyOf(crops).forEach(c -> crops.add(c.mirroredToo()));
      }
      return List.copyOf(crops.stream().distinct().toList());
    }
  }

  /** Decodes the file and cuts out every crop. */
  public List<Picture> pictures() {
    return ImageFile.open(captioned.file(), options.background()).cut(crops);
  }

  /** Where it goes and what is lost, for people. */
  public String describe() {
    Crop c = crops.get(0);
    long across = c.scaledWidth() - c.width();
    long down = c.scaledHeight() - c.height();
    return String.format(
        "%s  %dx%d -> %s, %s%s%s",
        captioned.file().getFileName(),
        facts.width(),
        facts.height(),
        size,
        across == 0 && down == 0
            ? "whole"
            : String.format(
                "%.1f%% cut away (%d columns, %d rows of %dx%d)",
                100 - 100.0 * c.width() * c.height() / c.scaledWidth() / c.scaledHeight(),
                across,
                down,
                c.scaledWidth(),
                c.scaledHeight()),
        crops.size() > 1 ? ", " + crops.size() + " variants" : "",
        mask.map(m -> ", " + m.describe()).orElse(""));
  }
}
