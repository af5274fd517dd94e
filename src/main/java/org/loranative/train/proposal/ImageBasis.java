package org.loranative.train.proposal;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.loranative.config.Preset.Choice;
import org.loranative.config.Subject;
import org.loranative.data.sd.Captioned;
import org.loranative.image.ImageFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;

/** A diffusion model and images with captions. */
record ImageBasis(DiffusionBase base, List<Captioned> images) implements Basis {
  private static final int FEW = 100;
  private static final int MOST_MEASURED = 50;
  private static final int PROMPTS = 3;

  static ImageBasis of(Path base, BaseOptions parts, Path data) {
    return new ImageBasis(DiffusionFamilies.open(base, parts), Captioned.read(data).images());
  }

  @Override
  public String task() {
    return "sd";
  }

  @Override
  public Subject subject() {
    return base.family().denoiser().isSmall()
        ? Subject.SMALL_SD
        : Subject.ofFamily(base.family().name());
  }

  @Override
  public int count() {
    return images.size();
  }

  @Override
  public String noun() {
    return "captioned image";
  }

  @Override
  public boolean isSmall() {
    return count() < FEW;
  }

  @Override
  public Map<String, Choice> settings() {
    return Map.of("resolution", resolution());
  }

  /** The images' own size, up to what the base was made for: enlarging them teaches nothing. */
  private Choice resolution() {
    double[] sides =
        images.stream()
            .limit(MOST_MEASURED)
            .map(c -> ImageFile.open(c.file()))
            .mapToDouble(p -> Math.sqrt((double) p.width() * p.height()))
            .sorted()
            .toArray();
    int own = Math.max(64, 64 * (int) (sides[sides.length / 2] / 64 + 0.5));
    int most = Collections.min(base.imageSize());
    return new Choice(
        Math.min(own, most),
        own < most ? "the images are no larger" : "what the base was made for");
  }

  @Override
  public List<String> prompts(String triggerWord) {
    List<String> captions =
        images.stream()
            .map(c -> c.triggeredBy(triggerWord).caption())
            .filter(c -> !c.isBlank())
            .distinct()
            .toList();
    int n = Math.min(PROMPTS, captions.size());
    return IntStream.range(0, n)
        .mapToObj(i -> captions.get((2 * i + 1) * captions.size() / (2 * n)))
        .toList();
  }
}
