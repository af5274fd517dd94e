package org.loranative.diagnose;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.track.RecordedRun;

/**
 * What the doctor looks at: the curves of a run under the names that lora-native, kohya's scripts,
 * Hugging Face's Trainer and others give them, and its settings as far as they are known.
 *
 * @param settings of the configuration by their YAML keys; may be empty
 */
public record RunCurves(Map<String, Curve> scalars, Map<String, String> settings) {
  private static final List<String> LOSS =
      List.of(
          "Loss/train", "train/loss", "loss/current", "train_loss", "loss", "Loss", "loss/average");
  private static final List<String> VALIDATION =
      List.of(
          "Loss/val", "eval/loss", "loss/validation/current", "val/loss", "val_loss", "eval_loss");
  private static final List<String> GRAD_NORM =
      List.of("grad_norm", "train/grad_norm", "norm/grad_norm");
  private static final List<String> RATE =
      List.of(
          "lr", "train/learning_rate", "learning_rate", "lr/unet", "lr/group0", "lr/textencoder");

  public RunCurves {
    scalars = Map.copyOf(scalars);
    settings = Map.copyOf(settings);
  }

  /** Of a run that was read. */
  public static RunCurves of(RecordedRun run) {
    Map<String, Curve> curves = new HashMap<>();
    for (String tag : run.tags()) {
      curves.put(tag, run.curve(tag, Curve::of));
    }
    return new RunCurves(curves, run.settings());
  }

  private Curve first(List<String> tags) {
    return tags.stream()
        .map(scalars::get)
        .filter(c -> c != null && !c.isEmpty())
        .findFirst()
        .orElse(Curve.EMPTY);
  }

  /** Training loss of each step. */
  public Curve loss() {
    return first(LOSS);
  }

  /** Loss on data that is not trained on. */
  public Curve validation() {
    return first(VALIDATION);
  }

  /** Loss on some training data, always measured alike. */
  public Curve probe() {
    return first(List.of("Loss/probe"));
  }

  Curve gradNorm() {
    return first(GRAD_NORM);
  }

  Curve rate() {
    return first(RATE);
  }

  Curve deadLayers() {
    return first(List.of("adapter/dead_layers"));
  }

  /** What the machine said of itself. */
  Curve sensor(String tag) {
    return first(List.of(tag));
  }

  Curve throughput() {
    return scalars.entrySet().stream()
        .filter(e -> e.getKey().matches("perf/.*_per_s") && !e.getValue().isEmpty())
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(Curve.EMPTY);
  }

  /** Whether the loss is a diffusion model's: near 0.1, and mostly noise. */
  boolean isDiffusion() {
    String task = settings.getOrDefault("task_type", "");
    return task.isEmpty()
        ? scalars.containsKey("loss/current") || scalars.containsKey("lr/unet")
        : task.equals("sd");
  }

  /**
   * The curve that shows whether the model learns: the probe where there is one, since a diffusion
   * step's loss is mostly noise; else the training loss.
   */
  Curve signal() {
    return hasProbe() ? probe().finite() : loss().finite();
  }

  boolean hasProbe() {
    return probe().finite().size() >= 4;
  }

  OptionalDouble number(String key) {
    try {
      return settings.containsKey(key)
          ? OptionalDouble.of(Double.parseDouble(settings.get(key)))
          : OptionalDouble.empty();
    } catch (NumberFormatException e) {
      return OptionalDouble.empty();
    }
  }

  /** What the run's optimizer usually takes; a common one if the run does not say. */
  String usualRate() {
    return rate(usual());
  }

  /** A rate that overfits less. */
  String gentleRate() {
    return rate(usual() / (isDiffusion() ? 1 : 2));
  }

  private double usual() {
    return number("usual_learning_rate").orElse(isDiffusion() ? 1e-4 : 2e-4);
  }

  private static String rate(double x) {
    int exponent = (int) Math.floor(Math.log10(x) + 1e-9);
    String digits = new BigDecimal(x / Math.pow(10, exponent), new MathContext(2)).toPlainString();
    return digits.replaceFirst("\\.0$", "") + "e" + exponent;
  }

  /** The learning rate to advise instead of the run's: {@code "learning_rate: 5e-05"}. */
  String halvedRate() {
    Optional<Double> rate =
        Arrays.stream(rate().finite().values())
            .boxed()
            .max(Double::compare)
            .or(() -> number("learning_rate").stream().boxed().findFirst());
    return rate.filter(r -> r > 0)
        .map(r -> String.format("learning_rate: %.2g (half of %.2g)", r / 2, r))
        .orElse("half the learning_rate");
  }
}
