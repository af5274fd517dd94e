package org.loranative.diagnose;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.loranative.track.LayerLog;
import org.loranative.track.LayerLog.Layer;

/** Layers that learn nothing: B is still zero, or no gradient reaches them. */
final class DeadAdapters implements Check {
  /** Share of the usual gradient that is none. */
  private static final double NONE = 1e-6;

  private static final int FEWEST = 2;
  private static final int MOST_NAMES = 3;

  @Override
  public Optional<Finding> find(RunCurves run) {
    return zeros(run).or(() -> withoutGradient(run));
  }

  private static Optional<Finding> zeros(RunCurves run) {
    Curve dead = run.deadLayers().finite();
    for (int i = 0; i < dead.size(); i++) {
      if (dead.values()[i] > 0 && dead.steps()[i] >= 2 && dead.last() > 0) {
        String names =
            run.lastLayers()
                .map(at -> names(at.layers().stream().filter(l -> l.change() == 0).toList()))
                .orElse("");
        return Optional.of(
            finding(
                dead.steps()[i],
                String.format("B of %.0f adapted layers is still zero%s", dead.last(), names)));
      }
    }
    return Optional.empty();
  }

  /** Where adapters begin as parts of the weight, or with numbers of another run. */
  private static Optional<Finding> withoutGradient(RunCurves run) {
    List<LayerLog.At> all = run.layers();
    if (all.size() < FEWEST) {
      return Optional.empty();
    }
    LayerLog.At now = run.lastLayers().orElseThrow();
    List<Layer> none =
        now.layers().stream()
            .filter(l -> all.stream().allMatch(at -> hasNone(at, l.layer())))
            .toList();
    if (none.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        finding(
            all.get(0).step(),
            String.format(
                "no gradient reaches %d of %d adapted layers%s: %.1g at most, and %.1g in the usual"
                    + " one",
                none.size(),
                now.layers().size(),
                names(none),
                none.stream().mapToDouble(Layer::gradNorm).max().orElse(0),
                usual(now))));
  }

  private static boolean hasNone(LayerLog.At at, String name) {
    double usual = usual(at);
    return usual > 0
        && at.layers().stream()
            .anyMatch(l -> l.layer().equals(name) && l.gradNorm() <= NONE * usual);
  }

  private static double usual(LayerLog.At at) {
    double[] norms =
        at.layers().stream().mapToDouble(Layer::gradNorm).filter(Double::isFinite).toArray();
    return norms.length == 0 ? 0 : Statistics.median(norms);
  }

  private static String names(List<Layer> layers) {
    if (layers.isEmpty()) {
      return "";
    }
    return layers.stream()
        .limit(MOST_NAMES)
        .map(Layer::layer)
        .collect(Collectors.joining(", ", " (", layers.size() > MOST_NAMES ? ", …)" : ")"));
  }

  private static Finding finding(long step, String evidence) {
    return new Finding(
        Finding.Symptom.DEAD_ADAPTERS,
        step,
        evidence,
        "Check that learning_rate is above 0 (also those of lora_targets) and that lora_targets"
            + " names layers that the loss depends on");
  }
}
