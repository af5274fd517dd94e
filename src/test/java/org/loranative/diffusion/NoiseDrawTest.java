package org.loranative.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class NoiseDrawTest {
  private static double correlation(float[] noise, int width) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i + 4 < noise.length; i++) {
      if (i / 4 % width < width - 1) {
        sum += noise[i] * noise[i + 4]; // the pixel to the right, same channel
        n++;
      }
    }
    return sum / n;
  }

  @Test
  void coarserLayersCorrelateNeighboursAndKeepTheVariance() {
    float[] plain = new NoiseDraw(5, 0, 0, 0.8).draw(2, 64, 48, 4, 1, 2);
    float[] pyramid = new NoiseDraw(5, 0, 6, 0.8).draw(2, 64, 48, 4, 1, 2);
    assertThat(correlation(plain, 48)).isCloseTo(0, Offset.offset(0.02));
    assertThat(correlation(pyramid, 48)).isGreaterThan(0.2);
    double squares = 0;
    for (float x : pyramid) {
      squares += x * x;
    }
    assertThat(squares / pyramid.length).isCloseTo(1, Offset.offset(0.2));
    assertThat(new NoiseDraw(5, 0, 6, 0.8).draw(2, 64, 48, 4, 1, 2)).isEqualTo(pyramid);
    assertThat(new NoiseDraw(5, 0, 6, 0.8).draw(2, 64, 48, 4, 1, 3)).isNotEqualTo(pyramid);
  }

  @Test
  void anOffsetIsSharedByAChannel() {
    float[] plain = new NoiseDraw(5, 0, 0, 0.8).draw(1, 8, 8, 4, 0, 0);
    float[] shifted = new NoiseDraw(5, 0.1, 0, 0.8).draw(1, 8, 8, 4, 0, 0);
    for (int i = 4; i < plain.length; i++) {
      assertThat(shifted[i] - plain[i])
          .isCloseTo(shifted[i % 4] - plain[i % 4], Offset.offset(1e-5f));
    }
    assertThat(shifted[0]).isNotEqualTo(plain[0]);
  }
}
