package org.loranative.diagnose;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a curve is, by the tag that a trainer gives it: the one table of names. Tags are patterns;
 * of several curves the first that has points enough to show anything is taken.
 *
 * <p>kohya's scripts and musubi: {@code loss/current}, {@code lr/unet}; Hugging Face's Trainer and
 * what is built on it (TRL, axolotl, unsloth, LLaMA-Factory): {@code train/loss}, in its JSON files
 * {@code loss}; diffusers and SimpleTuner: {@code train_loss}; diffusers' DreamBooth and
 * ai-toolkit: {@code loss}; OneTrainer: {@code loss/train_step}; diffusion-pipe: {@code train/loss}
 * and, for each set it evaluates, {@code NAME/loss} beside {@code NAME/loss_quantile_…}; Lightning:
 * {@code …_step} and {@code …_epoch}.
 */
enum Meaning {
  LOSS(
      "Loss/train",
      "train/loss",
      "loss/current",
      "loss/train_step",
      "train_loss_step",
      "train/loss_step",
      "step_loss",
      "loss",
      "train_loss",
      "Loss",
      "loss/average",
      "smooth_loss/train_step",
      "train_loss_epoch",
      "train/loss_epoch",
      "train/epoch_loss",
      "loss/epoch_average",
      "loss/epoch"),
  VALIDATION(
      "Loss/val",
      "eval/loss",
      "eval_loss",
      "loss/validation/epoch_average",
      "loss/validation/step_average",
      "loss/validation/current",
      "loss/validation_step/total_average",
      "loss/validation_step/.*",
      "val/loss_epoch",
      "val_loss_epoch",
      "val/loss",
      "val_loss",
      "loss/val",
      "validation/loss",
      "validation_loss",
      "valid_loss",
      "loss/validation/step_current",
      "eval/.+_loss",
      "eval_.+_loss",
      "eval_loss/.*"),
  PROBE("Loss/probe"),
  /** The probe with captions or answers of other records. */
  SWAPPED("Loss/swapped", "probe/swapped"),
  GRAD_NORM(
      "grad_norm", "train/grad_norm", "norm/grad_norm", "grad_norm_step", "train/grad_norm_step"),
  RATE(
      "lr",
      "train/learning_rate",
      "learning_rate",
      "train/lr",
      "lr/unet",
      "lr/transformer",
      "lr/group0",
      "lr/textencoder",
      "lr-.*",
      "lr/(?!d\\*).*"),
  DEAD_LAYERS("adapter/dead_layers"),
  /** Tokens or images of a step that something is learnt from. */
  LABELLED("labelled", "data/labelled"),
  STEP_MILLIS("perf/step_ms"),
  TOKEN_RATE("perf/tokens_per_s"),
  UNIT_RATE("perf/.*_per_s");

  private static final int ENOUGH = 2;

  /** Tags that only trainers of diffusion models write. */
  private static final Pattern IMAGES =
      Pattern.compile(
          "loss/current|lr/(unet|textencoder|transformer|d\\*lr)\\b.*|(smooth_)?loss/(train|validation)_step.*"
              + "|.+/loss_quantile_.*|perf/images_per_s|Loss/(val|probe)/(t\\d+|sigma[0-9.]+)-[0-9.]+");

  /** And those of language models. */
  private static final Pattern TEXTS =
      Pattern.compile(
          "perf/tokens_per_s|train/(epoch|mean_token_accuracy|num_tokens|entropy|total_flos)"
              + "|mean_token_accuracy|num_tokens|total_flos|perplexity.*|(eval|val)[/_]perplexity");

  private final List<Pattern> tags;

  Meaning(String... tags) {
    this.tags = List.of(tags).stream().map(Pattern::compile).toList();
  }

  /** The curve of this meaning. */
  Curve in(Map<String, Curve> scalars) {
    return tagIn(scalars).map(scalars::get).orElse(Curve.EMPTY);
  }

  /** The tag of the curve of this meaning, where there is one. */
  Optional<String> tagIn(Map<String, Curve> scalars) {
    List<String> found = new ArrayList<>();
    for (Pattern tag : tags) {
      scalars.keySet().stream()
          .filter(t -> tag.matcher(t).matches() && !scalars.get(t).isEmpty())
          .sorted()
          .forEach(found::add);
    }
    if (this == VALIDATION && found.isEmpty()) {
      quantiles(scalars).ifPresent(found::add);
    }
    return found.stream()
        .filter(t -> scalars.get(t).size() >= ENOUGH)
        .findFirst()
        .or(() -> found.stream().max(Comparator.comparing(t -> scalars.get(t).size())));
  }

  /** diffusion-pipe's validation: of a set that the configuration names. */
  private static Optional<String> quantiles(Map<String, Curve> scalars) {
    return scalars.keySet().stream()
        .filter(tag -> tag.contains("/loss_quantile_"))
        .map(tag -> tag.substring(0, tag.indexOf("/loss_quantile_")) + "/loss")
        .filter(scalars::containsKey)
        .min(Comparator.naturalOrder());
  }

  /** What the tags say of the task, {@code sd} or {@code llm}. */
  static Optional<String> task(Map<String, Curve> scalars) {
    if (scalars.keySet().stream().anyMatch(tag -> IMAGES.matcher(tag).matches())) {
      return Optional.of("sd");
    }
    return scalars.keySet().stream().anyMatch(tag -> TEXTS.matcher(tag).matches())
        ? Optional.of("llm")
        : Optional.empty();
  }
}
