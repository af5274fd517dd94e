package org.loranative.random;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The known answers of Random123 (Salmon et al. 2011), which every device's Philox must give. */
class PhiloxTest {
  @Test
  void knownAnswers() throws IOException {
    int lines = 0;
    for (String line : Files.readAllLines(Path.of("src/test/resources/philox.txt"))) {
      if (line.startsWith("#")) {
        continue;
      }
      int[] w = Arrays.stream(line.split(" ")).mapToInt(x -> (int) Long.parseLong(x, 16)).toArray();
      long key = Integer.toUnsignedLong(w[4]) | (long) w[5] << 32;
      assertThat(Philox.words(key, w[0], w[1], w[2], w[3])).containsExactly(w[6], w[7], w[8], w[9]);
      lines++;
    }
    assertThat(lines).isEqualTo(3);
  }

  @Test
  void permutationsAreFairAndRepeatable() {
    int[] first = new int[5];
    for (int seed = 0; seed < 5000; seed++) {
      int[] p = Philox.permutation(5, seed, Philox.DATA_ORDER, 0);
      first[p[0]]++;
      assertThat(p).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
    }
    assertThat(Arrays.stream(first).boxed()).allMatch(n -> n > 850 && n < 1150);
    assertThat(Philox.permutation(9, 1, 1, 0)).isEqualTo(Philox.permutation(9, 1, 1, 0));
    assertThat(Philox.permutation(9, 1, 1, 0)).isNotEqualTo(Philox.permutation(9, 1, 1, 1));
  }

  /** Mean, variance and fourth moment of many; the same whenever asked. */
  @Test
  void normalsAreNormal() {
    int n = 100_001;
    float[] x = Philox.normals(n, 5, Philox.NOISE, 2, 1);
    double[] moments = new double[5];
    for (float v : x) {
      for (int k = 1; k < 5; k++) {
        moments[k] += Math.pow(v, k) / n;
      }
    }
    assertThat(moments[1]).isCloseTo(0, org.assertj.core.data.Offset.offset(0.02));
    assertThat(moments[2]).isCloseTo(1, org.assertj.core.data.Offset.offset(0.03));
    assertThat(moments[3]).isCloseTo(0, org.assertj.core.data.Offset.offset(0.08));
    assertThat(moments[4]).isCloseTo(3, org.assertj.core.data.Offset.offset(0.2));
    assertThat(Philox.normals(10, 5, Philox.NOISE, 2, 1)).isEqualTo(java.util.Arrays.copyOf(x, 10));
    assertThat(Philox.normals(10, 5, Philox.NOISE, 3, 1))
        .isNotEqualTo(java.util.Arrays.copyOf(x, 10));
  }
}
