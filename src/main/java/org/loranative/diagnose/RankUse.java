package org.loranative.diagnose;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.track.LayerLog;
import org.loranative.track.LayerLog.Layer;

/**
 * How many directions the changes of the weights have, once the run is past its middle: far fewer
 * than the rank allows, or all of them and all alike, so that more would be used.
 */
final class RankUse implements Check {
  private static final int FEWEST = 3;

  /** Below it a rank costs next to nothing. */
  private static final int SMALL = 8;

  /** Of the layers; the others may lose a little. */
  private static final double MOST = 0.9;

  /** Share of the rank that evenly used directions make up where it is too small. */
  private static final double EVEN = 0.6;

  @Override
  public Optional<Finding> find(RunCurves run) {
    if (run.layers().size() < FEWEST) {
      return Optional.empty();
    }
    LayerLog.At now = run.lastLayers().orElseThrow();
    OptionalDouble total = run.number("total_steps");
    List<Layer> layers = now.layers().stream().filter(l -> l.most() > 0).toList();
    if (total.isPresent() && 2L * now.step() < total.getAsDouble() || layers.isEmpty()) {
      return Optional.empty();
    }
    double rank = layers.stream().mapToInt(Layer::rank).max().orElseThrow();
    double[] directions = layers.stream().mapToDouble(Layer::directions).toArray();
    int held = (int) Math.ceil(Statistics.quantile(directions, MOST));
    if (held > 0 && rank >= SMALL && held <= rank / 2) {
      int enough = Math.max(1, Integer.highestOneBit(2 * held - 1));
      return Optional.of(
          new Finding(
              Finding.Symptom.RANK_LARGE,
              now.step(),
              String.format(
                  "lora_rank is %.0f, but in nine of ten layers %d directions hold 99 %% of the"
                      + " change (in the middle one %.0f)",
                  rank, held, Statistics.median(directions)),
              "lora_rank: " + enough + " would do, with alpha / rank as it is"));
    }
    double even = Statistics.median(layers.stream().mapToDouble(RankUse::evenness).toArray());
    if (rank > 1 && even > EVEN) {
      return Optional.of(
          new Finding(
              Finding.Symptom.RANK_FULL,
              now.step(),
              String.format(
                  "all of lora_rank %.0f is in use: the directions of a layer's change are as even"
                      + " as %.1f equal ones",
                  rank, even * rank),
              "If the loss is not low enough, lora_rank: "
                  + Math.round(2 * rank)
                  + " gives it room"));
    }
    return Optional.empty();
  }

  /** (Σσ²)² / Σσ⁴, the number of directions if all were alike, as a share of those there are. */
  private static double evenness(Layer layer) {
    double squares = 0;
    double fourths = 0;
    for (double x : layer.singularValues()) {
      squares += x * x;
      fourths += x * x * x * x;
    }
    return fourths == 0 ? 0 : squares * squares / fourths / layer.most();
  }
}
