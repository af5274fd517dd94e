package org.loranative.diagnose;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.track.DataFacts;
import org.loranative.track.LayerLog;
import org.loranative.track.MeasuredRecords;
import org.loranative.track.RecordedRun;

/**
 * What the doctor looks at: the curves of a run, whoever wrote it, and its settings as far as they
 * are known.
 *
 * @param settings of the configuration by their YAML keys; may be empty
 * @param layers what each adapted layer was like; empty where the trainer does not say
 * @param records what each measured record lost; likewise
 */
public record RunCurves(
    Map<String, Curve> scalars,
    Map<String, String> settings,
    List<LayerLog.At> layers,
    List<MeasuredRecords> records) {
  /** A loss below this is no language model's that begins to learn. */
  private static final double IMAGES = 0.6;

  /** Up to here it may be either: a diffusion loss varies more. */
  private static final double EITHER = 1.3;

  private static final double VARIES = 0.25;

  public RunCurves {
    scalars = Map.copyOf(scalars);
    settings = Map.copyOf(settings);
    layers = List.copyOf(layers);
    records = List.copyOf(records);
  }

  /** Curves and settings alone. */
  public RunCurves(Map<String, Curve> scalars, Map<String, String> settings) {
    this(scalars, settings, List.of(), List.of());
  }

  /** Of a run that was read. */
  public static RunCurves of(RecordedRun run) {
    RunCurves plain = eventsOf(run);
    return new RunCurves(
        plain.scalars,
        plain.settings,
        LayerLog.read(run.folder()),
        MeasuredRecords.read(run.folder()));
  }

  /** Of a run's event files alone. */
  public static RunCurves eventsOf(RecordedRun run) {
    Map<String, Curve> curves = new HashMap<>();
    for (String tag : run.tags()) {
      curves.put(tag, run.curve(tag, Curve::of));
    }
    return new RunCurves(curves, run.settings());
  }

  /** What the layers were like when they were last looked at. */
  Optional<LayerLog.At> lastLayers() {
    return layers.isEmpty() ? Optional.empty() : Optional.of(layers.get(layers.size() - 1));
  }

  private Curve get(Meaning meaning) {
    return meaning.in(scalars);
  }

  /** What the trainer calls its training loss. */
  public Optional<String> lossTag() {
    return Meaning.LOSS.tagIn(scalars);
  }

  /** And what it calls the loss on data that is not trained on. */
  public Optional<String> validationTag() {
    return Meaning.VALIDATION.tagIn(scalars);
  }

  /** Training loss of each step. */
  public Curve loss() {
    return get(Meaning.LOSS);
  }

  /** Loss on data that is not trained on, over training's steps. */
  public Curve validation() {
    Curve measured = get(Meaning.VALIDATION);
    Curve loss = loss();
    boolean epochs =
        measured.size() > 1
            && loss.size() > 4L * measured.lastStep()
            && measured.stride() == 1
            && loss.lastStep() > 10 * measured.lastStep();
    return epochs ? measured.stretched(loss.lastStep()) : measured;
  }

  /** Loss on some training data, always measured alike. */
  public Curve probe() {
    return get(Meaning.PROBE);
  }

  /** The same with captions or answers that belong to other records. */
  Curve swapped() {
    return get(Meaning.SWAPPED);
  }

  /** What is measured on the same records each time, the surest first. */
  List<Curve> measured() {
    return List.of(probe().finite(), validation().finite());
  }

  Curve gradNorm() {
    return get(Meaning.GRAD_NORM);
  }

  Curve rate() {
    return get(Meaning.RATE);
  }

  Curve deadLayers() {
    return get(Meaning.DEAD_LAYERS);
  }

  /** What the machine said of itself. */
  Curve sensor(String tag) {
    return scalars.getOrDefault(tag, Curve.EMPTY);
  }

  Curve throughput() {
    return get(Meaning.UNIT_RATE);
  }

  /** Share of the tokens that something is learnt from. */
  OptionalDouble labelledShare() {
    OptionalDouble known = number(DataFacts.LABELLED_SHARE);
    Curve labelled = get(Meaning.LABELLED);
    Curve rate = get(Meaning.TOKEN_RATE);
    Curve millis = get(Meaning.STEP_MILLIS);
    if (known.isPresent() || labelled.isEmpty() || rate.isEmpty() || millis.isEmpty()) {
      return known;
    }
    double tokens = Statistics.median(rate.values()) * Statistics.median(millis.values()) / 1000;
    return OptionalDouble.of(Statistics.median(labelled.values()) / tokens);
  }

  /** Tokens that something is learnt from, of a usual record. */
  OptionalDouble labelledOfARecord() {
    Curve labelled = get(Meaning.LABELLED);
    OptionalDouble batch = number("batch_size");
    return labelled.isEmpty() || batch.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(
            Statistics.median(labelled.values())
                / batch.getAsDouble()
                / number("gradient_accumulation").orElse(1));
  }

  /** Whether the loss is a diffusion model's: small, and mostly noise. */
  public boolean isDiffusion() {
    return Optional.ofNullable(settings.get("task_type"))
        .map(task -> task.equals("text-to-image") ? "sd" : task)
        .or(() -> Meaning.task(scalars))
        .map("sd"::equals)
        .orElseGet(this::looksLikeDiffusion);
  }

  /** In what records that are nearly the same differ. */
  String nearly() {
    return isDiffusion()
        ? "as other files that look the same"
        : "but for case, spaces and punctuation";
  }

  private boolean looksLikeDiffusion() {
    double[] v = loss().finite().values();
    if (v.length == 0) {
      return false;
    }
    double start =
        Statistics.median(v, 0, Math.max(1, Math.min(v.length, Math.max(5, v.length / 10))));
    return start < IMAGES || start < EITHER && Noise.of(v).deviation() > VARIES * start;
  }

  /** Whether its records come in random order; what is not said is not known. */
  boolean isShuffled() {
    return "true".equals(settings.get("shuffle"));
  }

  /** Whether all its steps are done, as far as is known. */
  boolean isWhole() {
    OptionalDouble total = number("total_steps");
    return total.isPresent() && loss().size() > 0 && loss().lastStep() >= total.getAsDouble();
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

  /** The highest rate that it had, or is to have. */
  OptionalDouble highestRate() {
    Optional<Double> had = Arrays.stream(rate().finite().values()).boxed().max(Double::compare);
    OptionalDouble set = number("learning_rate");
    return had.filter(r -> r > 0).map(OptionalDouble::of).orElse(set);
  }

  /** What the run's optimizer usually takes; a common one if the run does not say. */
  double usual() {
    return number("usual_learning_rate").orElse(isDiffusion() ? 1e-4 : 2e-4);
  }
}
