package org.loranative.train.verification;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.export.AdapterSource;
import org.loranative.image.Picture;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.train.diffusion.Pictures;
import org.loranative.train.machine.Machine;

/** Pictures of the same prompts from the same noise by two diffusion models. */
public record PictureVerification(
    Path base, BaseOptions options, List<String> prompts, int steps, long seed, Machine machine) {
  /** Drawn where the user names nothing. */
  public static final List<String> PROMPTS = List.of("a red apple on a table");

  private static final int COLOURS = 255;

  /**
   * How far apart two pictures are, in steps of 255.
   *
   * @param mean over pixels and colours
   */
  public record Drawn(String prompt, double max, double mean) {}

  /**
   * @param against a picture of the first prompt, an adapter that is put on the base, or a model
   */
  public List<Drawn> compare(List<AdapterSource> trained, Path against, boolean isAdapter) {
    List<Picture> first = draw(base, trained, prompts);
    if (against.getFileName().toString().endsWith(".png")) {
      return List.of(apart(prompts.get(0), first.get(0), Picture.read(against)));
    }
    List<Picture> second =
        isAdapter
            ? draw(base, List.of(new AdapterSource(against, 1)), prompts)
            : draw(against, List.of(), prompts);
    List<Drawn> drawn = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      drawn.add(apart(prompts.get(i), first.get(i), second.get(i)));
    }
    return drawn;
  }

  private List<Picture> draw(Path model, List<AdapterSource> adapters, List<String> what) {
    DiffusionBase opened = DiffusionFamilies.open(model, options);
    DiffusionFamily.Habit habit = opened.family().drawing();
    try (Pictures pictures = new Pictures(opened, adapters, machine)) {
      List<Integer> sides = pictures.size(Optional.empty());
      return what.stream()
          .map(
              prompt ->
                  pictures.draw(
                      new Painter.Order(
                          prompt,
                          "",
                          sides.get(0),
                          sides.get(1),
                          opened.sampler(habit.sampler(), "the base"),
                          steps,
                          habit.guidance(),
                          seed,
                          0),
                      Optional.empty()))
          .toList();
    }
  }

  private static Drawn apart(String prompt, Picture a, Picture b) {
    if (a.width() != b.width() || a.height() != b.height()) {
      throw new UserException(
          String.format(
              "The pictures are %d x %d and %d x %d.",
              a.width(), a.height(), b.width(), b.height()));
    }
    double max = 0;
    double sum = 0;
    for (int i = 0; i < a.rgb().length; i++) {
      double d = COLOURS * Math.abs((double) a.rgb()[i] - b.rgb()[i]);
      max = Math.max(max, d);
      sum += d;
    }
    return new Drawn(prompt, max, sum / a.rgb().length);
  }
}
