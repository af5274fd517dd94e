package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SingularVectorsTest {
  /** Of a sum of known values and vectors, beside many that are nearly as large. */
  @ParameterizedTest
  @CsvSource({"70, 90, 5", "90, 70, 1", "9, 40, 9", "40, 3, 8", "300, 200, 30"})
  void findsTheLargest(int rows, int columns, int count) {
    Random random = new Random(rows * 31L + columns);
    int all = Math.min(rows, columns);
    double[][] left = vectors(random, all, rows);
    double[][] right = vectors(random, all, columns);
    float[] matrix = new float[rows * columns];
    for (int k = 0; k < all; k++) {
      for (int i = 0; i < matrix.length; i++) {
        matrix[i] += (float) (value(k) * left[k][i / columns] * right[k][i % columns]);
      }
    }
    SingularVectors found = SingularVectors.largest(matrix, rows, columns, count);
    assertThat(found.values()).hasSize(Math.min(count, all));
    for (int k = 0; k < found.values().length; k++) {
      assertThat(found.values()[k]).isCloseTo(value(k), offset(1e-5));
      double sign = Math.signum(found.left()[k][0] * left[k][0]);
      for (int i = 0; i < rows; i++) {
        assertThat(sign * found.left()[k][i]).isCloseTo(left[k][i], offset(1e-3));
      }
      for (int i = 0; i < columns; i++) {
        assertThat(sign * found.right()[k][i]).isCloseTo(right[k][i], offset(1e-3));
      }
    }
  }

  private static double value(int k) {
    return 3 / (1 + 0.1 * k);
  }

  private static double[][] vectors(Random random, int count, int size) {
    double[][] x = new double[count][size];
    for (double[] v : x) {
      for (int i = 0; i < size; i++) {
        v[i] = random.nextGaussian();
      }
    }
    SingularVectors.orthonormalize(x);
    return x;
  }
}
