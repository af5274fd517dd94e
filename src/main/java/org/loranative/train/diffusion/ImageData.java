package org.loranative.train.diffusion;

import java.awt.Color;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.Counted;
import org.loranative.UserException;
import org.loranative.config.CharsetName;
import org.loranative.config.TrainConfig;
import org.loranative.data.TextFile;
import org.loranative.data.sd.Buckets;
import org.loranative.data.sd.Captioned;
import org.loranative.data.sd.FactsCache;
import org.loranative.data.sd.ImageChecks;
import org.loranative.data.sd.ImageFacts;
import org.loranative.data.sd.Mask;
import org.loranative.data.sd.Preparation;
import org.loranative.data.sd.PreparedImage;
import org.loranative.random.Philox;
import org.loranative.track.DataFacts;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that a configuration names, looked at but not encoded.
 *
 * @param training with the trigger word in their captions
 * @param regularization pictures of the class in general, which hold the model back; may be empty
 * @param validation images that are only measured, with the trigger word too; may be empty
 * @param cache where encodings are kept, if anywhere
 */
public record ImageData(
    List<PreparedImage> training,
    List<PreparedImage> regularization,
    List<PreparedImage> validation,
    Optional<Path> cache) {
  private static final Logger log = LoggerFactory.getLogger(ImageData.class);
  private static final int BUCKET_STEP = 64;

  /** More would not be measured. */
  private static final int MOST_HELD_OUT = 16;

  /**
   * Reads, measures and checks; says what it found.
   *
   * @param imageStep what the resolution must be a multiple of
   * @throws UserException if nothing can be trained on, or, with strict_data, on any doubt
   */
  public static ImageData of(TrainConfig config, int imageStep) {
    int resolution = config.resolution();
    if (resolution % imageStep != 0 || resolution < 2 * imageStep) {
      throw new UserException(
          "resolution is "
              + resolution
              + ", but this model needs a multiple of "
              + imageStep
              + ".");
    }
    Path path = Path.of(config.dataPath());
    Captioned.Found found = read(path, config).triggeredBy(config.triggerWord());
    Optional<Path> cache = cacheFolder(config, path);
    FactsCache facts = new FactsCache(cache);
    PreparedImage.Options options =
        new PreparedImage.Options(
            new Buckets(resolution, BUCKET_STEP),
            Color.decode(config.background()),
            config.flip(),
            config.randomCrop(),
            config.seed(),
            config.masked());
    Preparation training = Preparation.of(found, options, facts);
    report("data", training, found.withoutCaption().size(), config.strictData());
    if (config.masked()) {
      requireMasks(path, training.images());
    }
    List<PreparedImage> regularization = List.of();
    if (!config.regularizationPath().isEmpty()) {
      Captioned.Found general = read(Path.of(config.regularizationPath()), config);
      Preparation prepared = Preparation.of(general, options, facts);
      report("regularization", prepared, general.withoutCaption().size(), config.strictData());
      regularization = prepared.images();
    }
    if (!config.validationPath().isEmpty()) {
      Captioned.Found other =
          read(Path.of(config.validationPath()), config).triggeredBy(config.triggerWord());
      Preparation prepared = Preparation.of(other, options, facts);
      report("validation", prepared, other.withoutCaption().size(), config.strictData());
      return new ImageData(training.images(), regularization, prepared.images(), cache);
    }
    return split(training.images(), regularization, cache, config);
  }

  /** Holds images back to be measured, unless the run replays noise that was made for them all. */
  private static ImageData split(
      List<PreparedImage> images,
      List<PreparedImage> regularization,
      Optional<Path> cache,
      TrainConfig config) {
    int n = images.size();
    int held = config.noiseReplay().isEmpty() ? (int) (config.validationFraction() * n) : 0;
    held = Math.min(Math.min(held, MOST_HELD_OUT), n - 1);
    int[] order = Philox.permutation(n, config.seed(), Philox.VALIDATION_SPLIT, 0);
    List<PreparedImage> training = new ArrayList<>(images);
    List<PreparedImage> validation = new ArrayList<>();
    for (int i = 0; i < held; i++) {
      validation.add(images.get(order[i]));
    }
    training.removeAll(validation);
    if (held > 0) {
      log.info("data: {} held out, to measure the loss on", Counted.of(held, "image"));
    }
    return new ImageData(training, regularization, validation, cache);
  }

  /** Says whose masks were found; an image without one is learnt as a whole, as by kohya. */
  private static void requireMasks(Path path, List<PreparedImage> images) {
    List<Mask> masks = images.stream().flatMap(i -> i.mask().stream()).toList();
    if (masks.isEmpty()) {
      throw new UserException(
          "masked is set, but no image of "
              + path
              + " has a mask: a NAME-mask.png beside NAME's image, or an alpha channel.");
    }
    long channels = masks.stream().filter(Mask::opacity).count();
    log.info(
        "data: {} masked by a file, {} by their alpha channel, {} learnt as a whole",
        masks.size() - channels,
        channels,
        images.size() - masks.size());
  }

  private static Captioned.Found read(Path path, TrainConfig config) {
    Captioned.Found found =
        Captioned.read(
            path,
            new TextFile.Encoding(
                CharsetName.find(config.captionEncoding()).orElseThrow(), "caption_encoding"));
    if (found.images().isEmpty()) {
      throw new UserException(
          path
              + " holds no captioned image: a metadata.csv with filename and prompt, a"
              + " metadata.jsonl, or a .txt file beside each image is expected."
              + (found.unread().isEmpty()
                  ? ""
                  : " Images such as "
                      + found.unread().get(0).getFileName()
                      + " are not read; convert them to PNG or JPEG."));
    }
    return config.masked() ? found.masked() : found;
  }

  private static Optional<Path> cacheFolder(TrainConfig config, Path data) {
    if (!config.cacheEncodings()) {
      return Optional.empty();
    }
    Path folder = Files.isDirectory(data) ? data : data.toAbsolutePath().getParent();
    return Optional.of(
        TrainConfig.path(config.cacheDir()).orElse(folder.resolve(".lora-native-cache")));
  }

  private static void report(String what, Preparation p, int withoutCaption, boolean strict) {
    ImageChecks checks = p.checks();
    log.info(
        "{}: {}{}",
        what,
        Counted.of(p.images().size(), "captioned image"),
        withoutCaption == 0 ? "" : ", " + withoutCaption + " without a caption left out");
    if (checks.isEmpty()) {
      return;
    }
    if (strict) {
      throw new UserException(
          "The " + what + " is doubtful, and strict_data is set:\n" + checks.table());
    }
    log.warn("{}: doubtful (strict_data: true would refuse):\n{}", what, checks.table());
  }

  /**
   * {@code data/duplicates}, training images whose bytes are there already; {@code
   * data/near_duplicates}, others that look like one before them; {@code data/validation_leak},
   * held-out images that are trained on; {@code data/near_validation_leak}, others that look like
   * one that is; {@code data/captions}, different ones.
   */
  Map<String, Object> facts() {
    List<ImageFacts> seen = new ArrayList<>();
    Set<String> captions = new HashSet<>();
    Alike trained = new Alike();
    for (PreparedImage image : training) {
      trained.look(image.facts(), seen);
      seen.add(image.facts());
      captions.add(image.captioned().caption());
    }
    Alike held = new Alike();
    validation.forEach(image -> held.look(image.facts(), seen));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(DataFacts.RECORDS, training.size());
    facts.put(DataFacts.CAPTIONS, captions.size());
    facts.put(DataFacts.DUPLICATES, trained.same);
    facts.put(DataFacts.NEAR_DUPLICATES, trained.near);
    facts.put(DataFacts.VALIDATION_RECORDS, validation.size());
    facts.put(DataFacts.VALIDATION_LEAK, held.same);
    facts.put(DataFacts.NEAR_VALIDATION_LEAK, held.near);
    return facts;
  }

  /** Counts images that are among others, byte for byte or by their look. */
  private static final class Alike {
    private int same;
    private int near;

    void look(ImageFacts image, List<ImageFacts> others) {
      if (others.stream().anyMatch(o -> o.sha256().equals(image.sha256()))) {
        same++;
      } else if (others.stream().anyMatch(image::looksLike)) {
        near++;
      }
    }
  }

  /** Every image, the training ones first. */
  List<PreparedImage> all() {
    List<PreparedImage> all = new ArrayList<>(training);
    all.addAll(regularization);
    all.addAll(validation);
    return all;
  }
}
