package org.loranative.train.llm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.Counted;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.data.Records;
import org.loranative.data.llm.Example;
import org.loranative.data.llm.ExampleEncoder;
import org.loranative.random.Philox;
import org.loranative.text.Tokenizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The texts that a configuration names, as tokens of which each is learnt or not.
 *
 * @param training what is trained on
 * @param held what is only measured; may be empty
 * @param raw whether no chat template was used
 */
public record TextData(List<Example> training, List<Example> held, boolean raw) {
  private static final Logger log = LoggerFactory.getLogger(TextData.class);
  private static final int SKIPPED_SHOWN = 20;

  /**
   * Reads and encodes; says what it found.
   *
   * @throws UserException if nothing can be trained on, or prompts would be as well as answers
   */
  public static TextData of(TrainConfig config, Tokenizer tokenizer) {
    ExampleEncoder encoder =
        new ExampleEncoder(tokenizer, config.dataFormat(), config.trainOn(), config.maxLength());
    Path path = Path.of(config.dataPath());
    ExampleEncoder.Result result = read(encoder, path, "training");
    requirePart(result, path, "trained on", config);
    List<Example> all = result.examples();
    boolean raw = result.conversations() == 0;
    Optional<Path> validation = TrainConfig.path(config.validationPath());
    if (validation.isPresent()) {
      ExampleEncoder.Result held = read(encoder, validation.get(), "validation");
      requirePart(held, validation.get(), "measured", config);
      return new TextData(all, held.examples(), raw);
    }
    int n = (int) Math.round(config.validationFraction() * all.size());
    int[] order = Philox.permutation(all.size(), config.seed(), Philox.VALIDATION_SPLIT, 0);
    boolean[] chosen = new boolean[all.size()];
    for (int i = 0; i < Math.min(n, all.size() - 1); i++) {
      chosen[order[i]] = true;
    }
    List<Example> examples = new ArrayList<>();
    List<Example> held = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      (chosen[i] ? held : examples).add(all.get(i));
    }
    return new TextData(examples, held, raw);
  }

  /**
   * Refuses data of which nothing counts, and conversations of which everything does.
   *
   * @param use what is done with them
   */
  private static void requirePart(
      ExampleEncoder.Result result, Path path, String use, TrainConfig config) {
    if (result.examples().isEmpty()) {
      List<String> reasons =
          result.skipped().stream().map(Records.Skipped::reason).distinct().toList();
      throw new UserException(
          reasons.isEmpty()
              ? path + " holds no record."
              : "No record of "
                  + path
                  + " can be "
                  + use
                  + (reasons.size() == 1
                      ? ": " + reasons.get(0) + "."
                      : "; see the reasons above."));
    }
    if (result.whole() > 0 && result.whole() == result.conversations()) {
      throw new UserException(
          "Every token of "
              + path
              + "'s conversations would be "
              + use
              + ", prompts too: they hold nothing but answers, or"
              + " the chat template of "
              + config.baseModel()
              + " marks everything as an answer. If that is meant, say train_on: all.");
    }
    if (result.whole() > 0) {
      log.warn(
          "{} of {} of {} are {} from the first token to the last: they hold nothing but answers",
          result.whole(),
          Counted.of(result.conversations(), "conversation"),
          path,
          use);
    }
  }

  private static ExampleEncoder.Result read(ExampleEncoder encoder, Path path, String what) {
    Records records = Records.read(path);
    records.leftOut().forEach(l -> log.info("{} data: left out of {}: {}", what, path, l));
    ExampleEncoder.Result result = encoder.encode(records);
    int shown = 0;
    for (Records.Skipped s : result.skipped()) {
      if (shown++ < SKIPPED_SHOWN) {
        log.warn("skipped {}", s);
      } else {
        log.debug("skipped {}", s);
      }
    }
    if (result.skipped().size() > SKIPPED_SHOWN) {
      log.warn(
          "… and {} more (a run's logs/train.log names them all)",
          result.skipped().size() - SKIPPED_SHOWN);
    }
    result.warnings().forEach(log::warn);
    long tokens = result.examples().stream().mapToLong(Example::length).sum();
    long labelled = result.examples().stream().mapToLong(Example::labelled).sum();
    log.info(
        "{} data: {}, {} tokens of which {} labelled, {} cut to max_length{}, {} left out",
        what,
        Counted.of(result.examples().size(), "example"),
        tokens,
        labelled,
        result.truncated(),
        result.truncated() == 0 ? "" : " (" + result.lostTokens() + " tokens lost)",
        result.skipped().size());
    return result;
  }
}
