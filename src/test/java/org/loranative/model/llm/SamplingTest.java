package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.UserException;
import org.loranative.testing.Seeded;

/** Tokens are drawn with the probabilities that the settings leave. */
@ExtendWith(Seeded.class)
class SamplingTest {
  private static final int VOCAB = 12;
  private static final int DRAWS = 4000;

  private static Sampling of(double temperature, int topK, double topP, double minP, long seed) {
    return new Sampling(temperature, topK, topP, minP, Sampling.Penalties.NONE, seed);
  }

  private static float[] logits(Random random) {
    float[] z = new float[VOCAB];
    for (int i = 0; i < VOCAB; i++) {
      z[i] = 2 * (float) random.nextGaussian();
    }
    return z;
  }

  /** Written as transformers' warpers define it, token by token over a sorted list. */
  private static double[] expected(float[] z, double temperature, int k, double topP, double minP) {
    Integer[] order = IntStream.range(0, VOCAB).boxed().toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparingDouble(i -> -z[i]));
    double[] p = new double[VOCAB];
    int kept = k == 0 ? VOCAB : Math.min(k, VOCAB);
    for (int r = 0; r < kept; r++) {
      p[order[r]] = Math.exp(z[order[r]] / temperature);
    }
    double sum = Arrays.stream(p).sum();
    double before = 0;
    for (int r = 0; r < VOCAB; r++) {
      double own = p[order[r]] / sum;
      if (r > 0 && before >= topP || own < minP * p[order[0]] / sum) {
        p[order[r]] = 0;
      }
      before += own;
    }
    double left = Arrays.stream(p).sum();
    return Arrays.stream(p).map(x -> x / left).toArray();
  }

  @Test
  void drawsByWhatIsLeft(Random random) {
    double[][] settings = {
      {1, 0, 1, 0},
      {0.5, 0, 1, 0},
      {1.5, 4, 1, 0},
      {1, 0, 0.8, 0},
      {1, 0, 1, 0.1},
      {1.2, 6, 0.9, 0.05}
    };
    for (double[] s : settings) {
      float[] z = logits(random);
      double[] expected = expected(z, s[0], (int) s[1], s[2], s[3]);
      int[] counts = new int[VOCAB];
      for (int i = 0; i < DRAWS; i++) {
        counts[
            of(s[0], (int) s[1], s[2], s[3], random.nextLong())
                .choose(z.clone(), Set.of(), List.of())]++;
      }
      double chi = 0;
      int cells = 0;
      for (int i = 0; i < VOCAB; i++) {
        if (expected[i] == 0) {
          assertThat(counts[i]).as("token %d, %s", i, Seeded.again()).isZero();
        } else {
          double mean = expected[i] * DRAWS;
          chi += (counts[i] - mean) * (counts[i] - mean) / mean;
          cells++;
        }
      }
      // Beyond it once in 10^7 at 11 degrees of freedom.
      assertThat(chi).as("%s %s", Arrays.toString(s), Seeded.again()).isLessThan(cells + 45);
    }
  }

  @Test
  void likeliestAtTemperatureZero(Random random) {
    float[] z = logits(random);
    int best = of(0, 0, 1, 0, 1).choose(z.clone(), Set.of(), List.of());
    for (float x : z) {
      assertThat(z[best]).isGreaterThanOrEqualTo(x);
    }
    assertThat(of(1, 1, 1, 0, 5).choose(z.clone(), Set.of(), List.of())).isEqualTo(best);
    assertThat(of(1, 0, 1e-9, 0, 5).choose(z.clone(), Set.of(), List.of())).isEqualTo(best);
    assertThat(of(1, 0, 1, 1, 5).choose(z.clone(), Set.of(), List.of())).isEqualTo(best);
  }

  /** Keskar et al. 2019, and OpenAI's two. */
  @Test
  void penalizesWhatWasThere() {
    float[] z = {4, 3.5f, -1, -1.5f};
    Map<Sampling.Penalties, Integer> chosen = new HashMap<>();
    chosen.put(Sampling.Penalties.NONE, 0);
    chosen.put(new Sampling.Penalties(1.2, 0, 0), 1); // 4 / 1.2 < 3.5
    chosen.put(new Sampling.Penalties(1, 0.3, 0), 1); // 4 - 2 · 0.3 < 3.5
    chosen.put(new Sampling.Penalties(1, 0.2, 0), 0);
    chosen.put(new Sampling.Penalties(1, 0, 0.6), 1);
    chosen.put(new Sampling.Penalties(1, 0, 0.4), 0);
    chosen.forEach(
        (penalties, token) ->
            assertThat(
                    new Sampling(0, 0, 1, 0, penalties, 0)
                        .choose(z.clone(), Set.of(0), List.of(0, 0)))
                .as(penalties.toString())
                .isEqualTo(token));
    float[] negative = {-1, -1.1f};
    assertThat(
            new Sampling(0, 0, 1, 0, new Sampling.Penalties(1.2, 0, 0), 0)
                .choose(negative, Set.of(0), List.of()))
        .as("-1 · 1.2 < -1.1")
        .isEqualTo(1);
  }

  @Test
  void refusesWhatIsNoSetting() {
    assertThatThrownBy(() -> of(-0.1, 0, 1, 0, 1))
        .isInstanceOf(UserException.class)
        .hasMessage("temperature is -0.1, but must lie in [0, 100].");
    assertThatThrownBy(() -> of(1, -1, 1, 0, 1)).hasMessageContaining("top_k");
    assertThatThrownBy(() -> of(1, 0, 0, 0, 1)).hasMessageContaining("top_p");
    assertThatThrownBy(() -> of(1, 0, 1, Double.NaN, 1)).hasMessageContaining("min_p");
    assertThatThrownBy(() -> new Sampling.Penalties(0, 0, 0))
        .hasMessageContaining("repetition_penalty");
  }
}
