package org.loranative.data.sd;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is doubtful about training images: a warning each, or with {@code strict} a refusal. */
public final class ImageChecks {
  private static final int SHOWN = 4;

  /** Laplacian variances of sharp pictures are in the hundreds and thousands. */
  private static final double BLURRED = 15;

  private static final double ELONGATED = 3;

  /** Kinds of doubt, each with what to do. */
  public enum Doubt {
    NO_CAPTION("images without a caption are left out; describe or remove them"),
    EMPTY_CAPTION(
        "learnt as pictures of no text, which may be meant; else describe or remove them"),
    NO_IMAGE("captions without an image of that name are left out; add or remove them"),
    UNREAD("images of kinds that are not read are left out; convert them to PNG or JPEG"),
    UNHEEDED("the metadata file describes the images, so these captions are not read; keep one"),
    DUPLICATE("the same file twice counts twice; remove copies or use repeats on purpose"),
    NEAR_DUPLICATE("pictures that look the same count twice; keep the better one"),
    SMALL("smaller than the trained size, so enlarged; lower resolution or find larger ones"),
    BLURRED("hardly any edges; the adapter learns blur; find sharper ones"),
    ELONGATED("sides of more than 3 to 1; much is cut away; crop them by hand"),
    SAME_CAPTION("the model cannot tell the images apart by text; describe what differs");

    private final String meaning;

    Doubt(String meaning) {
      this.meaning = meaning;
    }
  }

  private final Map<Doubt, List<String>> found = new EnumMap<>(Doubt.class);

  private void add(Doubt doubt, String what) {
    found.computeIfAbsent(doubt, d -> new ArrayList<>()).add(what);
  }

  /**
   * @param images what has a caption
   * @param facts of each of them
   * @param sizes that each is brought to
   */
  public static ImageChecks of(
      Captioned.Found images, List<ImageFacts> facts, List<Buckets.Size> sizes) {
    ImageChecks checks = new ImageChecks();
    images.withoutCaption().forEach(p -> checks.add(Doubt.NO_CAPTION, name(p)));
    images.withoutImage().forEach(p -> checks.add(Doubt.NO_IMAGE, name(p)));
    images.unread().forEach(p -> checks.add(Doubt.UNREAD, name(p)));
    images.unheeded().forEach(p -> checks.add(Doubt.UNHEEDED, name(p)));
    List<Captioned> all = images.images();
    List<Captioned> silent = all.stream().filter(c -> c.caption().isBlank()).toList();
    silent.forEach(c -> checks.add(Doubt.EMPTY_CAPTION, name(c.file())));
    if (all.size() > 1
        && silent.isEmpty()
        && all.stream().map(Captioned::caption).distinct().count() == 1) {
      checks.add(Doubt.SAME_CAPTION, "all: " + all.get(0).caption());
    }
    Map<String, Integer> byFile = new HashMap<>();
    for (int i = 0; i < all.size(); i++) {
      checks.one(name(all.get(i).file()), facts.get(i), sizes.get(i));
      Integer before = byFile.putIfAbsent(facts.get(i).sha256(), i);
      if (before != null) {
        checks.add(Doubt.DUPLICATE, pair(all, before, i));
        continue;
      }
      for (int j = 0; j < i; j++) {
        boolean other = !facts.get(j).sha256().equals(facts.get(i).sha256());
        if (other && facts.get(j).looksLike(facts.get(i))) {
          checks.add(Doubt.NEAR_DUPLICATE, pair(all, j, i));
        }
      }
    }
    return checks;
  }

  private void one(String name, ImageFacts f, Buckets.Size size) {
    if (f.width() < size.width() || f.height() < size.height()) {
      add(Doubt.SMALL, String.format("%s (%dx%d for %s)", name, f.width(), f.height(), size));
    }
    if (f.sharpness() < BLURRED) {
      add(Doubt.BLURRED, String.format("%s (variance %.1f)", name, f.sharpness()));
    }
    if (f.elongation() > ELONGATED) {
      add(Doubt.ELONGATED, String.format("%s (%dx%d)", name, f.width(), f.height()));
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static String pair(List<Captioned> all, int i, int j) {
    return name(all.get(i).file()) + " = " + name(all.get(j).file());
  }

  public boolean isEmpty() {
    return found.isEmpty();
  }

  /** The doubts of a kind, for people. */
  public List<String> of(Doubt doubt) {
    return List.copyOf(found.getOrDefault(doubt, List.of()));
  }

  /** One line for each kind: how many, which, what it means. */
  public String table() {
    StringBuilder text = new StringBuilder();
    found.forEach(
        (doubt, which) ->
            text.append(
                String.format(
                    "  %-15s %4d  %s%s%n%24s%s%n",
                    doubt.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    which.size(),
                    String.join(", ", which.subList(0, Math.min(SHOWN, which.size()))),
                    which.size() > SHOWN ? ", …" : "",
                    "",
                    doubt.meaning)));
    return text.toString();
  }
}
