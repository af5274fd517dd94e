package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.testing.Errors;
import org.loranative.testing.JacobiSvd;
import org.loranative.testing.Seeded;

/** The largest singular values of what a layer gains, and how many of them. */
@ExtendWith(Seeded.class)
class LowRankPartTest {
  /** 0.5 B A with b = sin((1 + i)(2 + r)), a = cos(1.3 (1 + r)(1 + i)), as numpy takes it apart. */
  private static final double[] VALUES = {2.04021788, 0.323074155, 0.246647906};

  private static final double[] OF_RANK_2 = {
    0.4172898, -0.3321076, -0.5023204, 0.5765935, -0.3962376, 0.25486, 0.5404009, -0.6091323,
    -0.0513157, 0.1840915, -0.0884161, 0.0750329, 0.4955681, -0.5414656, -0.4423689, 0.5349372,
    -0.5524698, 0.4817645, 0.6209369, -0.7205186
  };

  private static AdaptedLayer known() {
    float[] b = new float[5 * 3];
    float[] a = new float[3 * 4];
    for (int r = 0; r < 3; r++) {
      for (int i = 0; i < 5; i++) {
        b[i * 3 + r] = (float) Math.sin((1 + i) * (2 + r));
      }
      for (int i = 0; i < 4; i++) {
        a[r * 4 + i] = (float) Math.cos(1.3 * (1 + r) * (1 + i));
      }
    }
    return AdaptedLayer.lowRank(
        new Adapters.Target("x", 4, 5), 1.5, new AdaptedLayer.LowRank(3, a, b));
  }

  /** s B A, [out, in]. */
  private static float[] product(AdaptedLayer layer) {
    AdaptedLayer.LowRank m = layer.lowRank().orElseThrow();
    int out = (int) layer.target().out();
    int in = (int) layer.target().in();
    float[] y = new float[out * in];
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < in; i++) {
        double sum = 0;
        for (int r = 0; r < m.rank(); r++) {
          sum += (double) m.b()[o * m.rank() + r] * m.a()[r * in + i];
        }
        y[o * in + i] = (float) (sum * layer.scale());
      }
    }
    return y;
  }

  @Test
  void asNumpyTakesItApart() {
    LowRankPart part = LowRankPart.of(known(), new RankRule.Fixed(2), 9);
    assertThat(part.layer().rank()).isEqualTo(2);
    assertThat(part.layer().scale()).isEqualTo(1);
    assertThat(Errors.relative(product(part.layer()), OF_RANK_2)).isLessThan(1e-6);
    assertThat(part.norm()).isCloseTo(2.08031197, within(1e-6));
    assertThat(part.kept() / part.norm()).isCloseTo(0.9929465440, within(1e-7));
    LowRankPart whole =
        LowRankPart.of(known().target(), product(known()), new RankRule.Fixed(2), 2);
    assertThat(Errors.relative(product(whole.layer()), OF_RANK_2)).isLessThan(1e-6);
  }

  /**
   * Shares and ratios on both sides of numpy's: 0.98073, 0.99295; 0.78171, 0.90550; 6.31501,
   * 8.27178.
   */
  @ParameterizedTest
  @CsvSource({
    "fro, 0.9807, 1",
    "fro, 0.98074, 2",
    "fro, 0.9929, 2",
    "fro, 0.993, 3",
    "fro, 1, 3",
    "cumulative, 0.78, 1",
    "cumulative, 0.7818, 2",
    "cumulative, 0.906, 3",
    "ratio, 6.3, 1",
    "ratio, 6.32, 2",
    "ratio, 8.27, 2",
    "ratio, 8.28, 3",
  })
  void rules(String name, double x, int rank) {
    RankRule rule =
        switch (name) {
          case "fro" -> new RankRule.Frobenius(x);
          case "cumulative" -> new RankRule.Cumulative(x);
          default -> new RankRule.Ratio(x);
        };
    double norm = Math.sqrt(VALUES[0] * VALUES[0] + VALUES[1] * VALUES[1] + VALUES[2] * VALUES[2]);
    assertThat(rule.rank(VALUES, norm + 1e-9 * (x < 1 ? 1 : -1))).isEqualTo(rank);
    assertThat(LowRankPart.of(known(), rule, 2).layer().rank()).isEqualTo(Math.min(rank, 2));
  }

  /** Nothing is lost at full rank; below it, what is left out is orthogonal to what is kept. */
  @Test
  void nearest(Random random) {
    for (int draw = 0; draw < 20; draw++) {
      int kernel = random.nextBoolean() ? 1 : 3;
      int in = kernel * kernel * (1 + random.nextInt(20));
      int out = 1 + random.nextInt(30);
      int rank = 1 + random.nextInt(9); // sometimes more than the matrix has
      float[] a = new float[rank * in];
      float[] b = new float[out * rank];
      for (int i = 0; i < a.length; i++) {
        a[i] = (float) random.nextGaussian();
      }
      for (int i = 0; i < b.length; i++) {
        b[i] = (float) (random.nextGaussian() * (1 + 9 * (i % rank)));
      }
      AdaptedLayer layer =
          AdaptedLayer.lowRank(
              new Adapters.Target("x", in, out, kernel),
              0.7 * rank,
              new AdaptedLayer.LowRank(rank, a, b));
      float[] whole = product(layer);
      String as = in + " x " + out + " rank " + rank + ", " + Seeded.again();
      LowRankPart all = LowRankPart.of(layer, new RankRule.Fixed(rank), rank);
      double[] wide = new double[whole.length];
      double norm = 0;
      for (int i = 0; i < wide.length; i++) {
        wide[i] = whole[i];
        norm += wide[i] * wide[i];
      }
      assertThat(Errors.relative(product(all.layer()), wide)).as(as).isLessThan(2e-6);

      int fewer = 1 + random.nextInt(rank);
      LowRankPart part = LowRankPart.of(layer, new RankRule.Fixed(fewer), rank);
      float[] kept = product(part.layer());
      double left = 0;
      double held = 0;
      for (int i = 0; i < kept.length; i++) {
        left += (wide[i] - kept[i]) * (wide[i] - kept[i]);
        held += (double) kept[i] * kept[i];
      }
      assertThat(left + held).as(as).isCloseTo(norm, within(1e-5 * norm));
      assertThat(part.kept()).as(as).isCloseTo(Math.sqrt(held), within(1e-5 * Math.sqrt(norm)));
      assertThat(part.norm()).as(as).isCloseTo(Math.sqrt(norm), within(1e-5 * Math.sqrt(norm)));
      // No other part of this rank is nearer: that of the whole matrix's own iteration is not.
      LowRankPart other = LowRankPart.of(layer.target(), whole, new RankRule.Fixed(fewer), fewer);
      assertThat(part.kept()).as(as).isCloseTo(other.kept(), within(1e-4 * Math.sqrt(norm)));
    }
  }

  /** A rule that asks for every value gets it of a whole matrix too, however few may be kept. */
  @Test
  void everyValueCounts(Random random) {
    int out = 12 + random.nextInt(9);
    int in = 10 + random.nextInt(30);
    float[] matrix = new float[out * in];
    double[] wide = new double[matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      matrix[i] = (float) random.nextGaussian();
      wide[i] = matrix[i];
    }
    double[] values = JacobiSvd.of(wide, out, in).values();
    double[] found = SingularVectors.values(matrix, out, in);
    assertThat(found).hasSize(values.length);
    for (int k = 0; k < values.length; k++) {
      assertThat(found[k]).isCloseTo(values[k], within(1e-6 * values[0]));
    }
    double all = Arrays.stream(values).sum();
    Adapters.Target target = new Adapters.Target("x", in, out);
    for (int rank = 2; rank < 7; rank++) {
      double share = (Arrays.stream(values, 0, rank).sum() - 0.5 * values[rank - 1]) / all;
      RankRule rule = new RankRule.Cumulative(share);
      for (int most : new int[] {rank - 1, rank, rank + 1, values.length}) {
        LowRankPart part = LowRankPart.of(target, matrix, rule, most);
        assertThat(part.layer().rank()).as(Seeded.again()).isEqualTo(Math.min(rank, most));
      }
    }
  }

  @Test
  void refusesWhatIsNotFinite() {
    for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      for (String name : List.of(LowRankMethod.A, LowRankMethod.B)) {
        AdaptedLayer layer = known();
        layer.numbers(name)[4] = wrong;
        assertThatThrownBy(() -> LowRankPart.of(layer, new RankRule.Fixed(2), 2))
            .isInstanceOf(UserException.class)
            .hasMessageContaining("of x holds NaN or infinity");
      }
      float[] whole = product(known());
      whole[7] = wrong;
      assertThatThrownBy(
              () -> LowRankPart.of(known().target(), whole, new RankRule.Frobenius(0.5), 2))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("of x holds NaN or infinity");
    }
  }

  @Test
  void refuses() {
    assertThatThrownBy(() -> new RankRule.Frobenius(1.2))
        .isInstanceOf(UserException.class)
        .hasMessage("--sv-fro is 1.2, but must be above 0 and at most 1.");
    assertThatThrownBy(() -> new RankRule.Ratio(1)).hasMessageContaining("--sv-ratio is 1");
    assertThatThrownBy(() -> new RankRule.Cumulative(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> new RankRule.Fixed(0)).hasMessageContaining("--rank is 0");
  }
}
