package org.loranative.data.sd;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.Counted;
import org.loranative.UserException;
import org.loranative.image.Crop;
import org.loranative.image.ImageFile;
import org.loranative.image.Picture;
import org.loranative.io.Checksums;
import org.loranative.track.Phase;

/** Looks at every image before training starts: reads, measures, assigns a size, checks. */
public record Preparation(List<PreparedImage> images, ImageChecks checks) {
  private static final int SHOWN = 5;

  /**
   * @param facts what was measured before
   * @throws UserException naming every file that cannot be read
   */
  public static Preparation of(
      Captioned.Found found, PreparedImage.Options options, FactsCache facts) {
    List<PreparedImage> images = new ArrayList<>();
    List<String> unreadable = new ArrayList<>();
    Phase phase = new Phase("images looked at", found.images().size());
    try {
      for (Captioned c : found.images()) {
        phase.next();
        look(c, options, facts, images, unreadable);
      }
      phase.end();
    } finally {
      facts.save();
    }
    if (!unreadable.isEmpty()) {
      throw new UserException(
          Counted.of(unreadable.size(), "image")
              + " cannot be used: "
              + String.join(" ", unreadable.subList(0, Math.min(SHOWN, unreadable.size())))
              + (unreadable.size() > SHOWN ? " …" : ""));
    }
    return new Preparation(
        images,
        ImageChecks.of(
            found,
            images.stream().map(PreparedImage::facts).toList(),
            images.stream().map(PreparedImage::size).toList()));
  }

  private static void look(
      Captioned c,
      PreparedImage.Options options,
      FactsCache facts,
      List<PreparedImage> images,
      List<String> unreadable) {
    try {
      ImageFacts f = facts.get(key(c, options), sha -> measure(c, options, sha));
      Buckets.Size size = options.buckets().nearest(f.width(), f.height());
      Optional<Mask> mask = options.masked() ? Mask.of(c.file(), f) : Optional.empty();
      images.add(new PreparedImage(c, f, size, options.crops(f, size), mask, options));
    } catch (UserException e) {
      unreadable.add(e.getMessage());
    }
  }

  private static FactsCache.Key key(Captioned c, PreparedImage.Options options) {
    return new FactsCache.Key(
        Checksums.of(c.file()), options.buckets().resolution(), options.background().getRGB());
  }

  private static ImageFacts measure(Captioned c, PreparedImage.Options options, String sha256) {
    ImageFile file = ImageFile.open(c.file(), options.background());
    Buckets.Size size = options.buckets().nearest(file.width(), file.height());
    Crop middle = Crop.middle(file.width(), file.height(), size.width(), size.height());
    List<Picture> pictures = file.cut(List.of(file.within(ImageFacts.LOOKED_AT), middle));
    return ImageFacts.of(file.width(), file.height(), pictures.get(0), pictures.get(1), sha256);
  }
}
