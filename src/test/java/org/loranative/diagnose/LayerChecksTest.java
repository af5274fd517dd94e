package org.loranative.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.loranative.track.LayerLog;

/**
 * What the layers of an adapter show; numbers are of the kind that runs on the demo models left.
 */
class LayerChecksTest {
  private static final int LAYERS = 20;
  private static final int[] STEPS = {15, 30, 45, 60};

  /** A usual layer: the singular values of rank 8 that SmolLM2's first q_proj had. */
  private static final double[] USUAL = {0.117, 0.079, 0.052, 0.046, 0.027, 0.025, 0.019, 0.015};

  private static LayerLog.Layer layer(
      int index, double relative, double gradNorm, double... singularValues) {
    double squares = DoubleStream.of(singularValues).map(x -> x * x).sum();
    double held = 0;
    int directions = 0;
    while (directions < singularValues.length && held < 0.99 * squares) {
      held += singularValues[directions] * singularValues[directions];
      directions++;
    }
    return new LayerLog.Layer(
        "layers." + index + ".up_proj",
        singularValues.length,
        Map.of(),
        (float) relative,
        (float) relative,
        directions,
        singularValues.length,
        DoubleStream.of(singularValues).mapToObj(x -> (float) x).toList(),
        (float) gradNorm,
        0.001f);
  }

  private interface Drawn {
    LayerLog.Layer at(int layer, int step);
  }

  private static List<Finding> examine(Drawn drawn) {
    List<LayerLog.At> all = new ArrayList<>();
    for (int step : STEPS) {
      all.add(
          new LayerLog.At(
              step, IntStream.range(0, LAYERS).mapToObj(i -> drawn.at(i, step)).toList()));
    }
    long[] steps = IntStream.rangeClosed(1, 60).asLongStream().toArray();
    double[] loss = IntStream.rangeClosed(1, 60).mapToDouble(i -> 2 + 2.0 / i).toArray();
    return Doctor.examine(
        new RunCurves(
            Map.of("Loss/train", new Curve(steps, loss)),
            Map.of("total_steps", "60"),
            all,
            List.of()));
  }

  private static Optional<Finding> find(Finding.Symptom symptom, Drawn drawn) {
    return examine(drawn).stream().filter(f -> f.symptom() == symptom).findFirst();
  }

  @Test
  void aUsualRunShowsNothing() {
    assertThat(examine((i, step) -> layer(i, 0.09, 0.002 * (i + 1), USUAL)))
        .allMatch(f -> f.symptom().severity == Finding.Severity.GOOD);
  }

  @Test
  void namesTheLayerThatOutgrowsItsWeight() {
    Finding f =
        find(
                Finding.Symptom.EXPLODING_LAYERS,
                (i, step) -> layer(i, i == 7 && step > 20 ? 0.08 * step : 0.05, 0.01, USUAL))
            .orElseThrow();
    assertThat(f.step()).isEqualTo(30);
    assertThat(f.evidence())
        .isEqualTo(
            "in 1 of 20 adapted layers what the adapter adds is larger than the weight, in"
                + " layers.7.up_proj 4.80 times");
  }

  @Test
  void namesTheLayerThatNoGradientReaches() {
    Finding f =
        find(
                Finding.Symptom.DEAD_ADAPTERS,
                (i, step) -> layer(i, 0.05, i == 3 ? 1e-12 : 0.05, USUAL))
            .orElseThrow();
    assertThat(f.evidence())
        .isEqualTo(
            "no gradient reaches 1 of 20 adapted layers (layers.3.up_proj): 1e-12 at most, and 0.05"
                + " in the usual one");
    assertThat(find(Finding.Symptom.DEAD_ADAPTERS, (i, step) -> layer(i, 1, Double.NaN, USUAL)))
        .isEmpty();
  }

  @Test
  void saysWhichRankWouldDo() {
    double[] few = new double[32];
    few[0] = 1;
    few[1] = 0.6;
    few[2] = 0.5;
    few[3] = 0.4;
    few[4] = 0.3;
    Finding f = find(Finding.Symptom.RANK_LARGE, (i, step) -> layer(i, 0.05, 1, few)).orElseThrow();
    assertThat(f.evidence())
        .isEqualTo(
            "lora_rank is 32, but in nine of ten layers 5 directions hold 99 % of the change (in"
                + " the middle one 5)");
    assertThat(f.advice()).startsWith("lora_rank: 8 would do");
  }

  @Test
  void saysThatAllOfTheRankIsInUse() {
    double[] even = {1, 0.95, 0.9, 0.85};
    Finding f = find(Finding.Symptom.RANK_FULL, (i, step) -> layer(i, 0.05, 1, even)).orElseThrow();
    assertThat(f.evidence()).contains("all of lora_rank 4 is in use").contains("3.9 equal ones");
    assertThat(f.advice()).contains("lora_rank: 8");
    assertThat(find(Finding.Symptom.RANK_FULL, (i, step) -> layer(i, 0.05, 1, 1))).isEmpty();
  }
}
