package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.testing.Seeded;

/** Values without vectors are those that Jacobi's rotations find. */
@ExtendWith(Seeded.class)
class EigenvaluesTest {
  @RepeatedTest(20)
  void equalJacobis(Random random) {
    int n = 1 + random.nextInt(40);
    int rank = 1 + random.nextInt(n);
    double[][] x = new double[rank][n];
    for (double[] row : x) {
      for (int i = 0; i < n; i++) {
        row[i] = random.nextGaussian() * Math.pow(10, random.nextInt(4));
      }
    }
    double[][] a = new double[n][n]; // of this rank, so some values are 0
    double[][] b = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        for (double[] row : x) {
          a[i][j] += row[i] * row[j];
        }
        b[i][j] = a[i][j];
      }
    }
    double[] values = Eigenvalues.of(a);
    double[] expected = Eigenvectors.of(b).values();
    for (int i = 0; i < n; i++) {
      assertThat(values[i]).isCloseTo(expected[i], offset(1e-11 * expected[0]));
    }
  }

  @Test
  void ofNothingAreNothing() {
    assertThat(Eigenvalues.of(new double[3][3])).containsExactly(0, 0, 0);
    assertThat(Eigenvalues.of(new double[][] {{-2, 0}, {0, 5}})[1]).isCloseTo(-2, offset(1e-12));
  }
}
