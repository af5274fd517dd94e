package org.loranative.lora;

/**
 * Eigenvalues of symmetric matrices without their vectors, which take most of the time:
 * Householder's reflections make a matrix tridiagonal, and Sturm sequences, bisected, give each
 * value (Golub and Van Loan, Matrix Computations, §8.3 and §8.4).
 */
final class Eigenvalues {
  private static final int BISECTIONS = 60;

  private Eigenvalues() {}

  /**
   * @param a symmetric; it is overwritten
   * @return falling
   */
  static double[] of(double[][] a) {
    int n = a.length;
    double[] diagonal = new double[n];
    double[] beside = new double[n]; // beside[i] joins i and i + 1
    for (int k = 0; k < n; k++) {
      diagonal[k] = a[k][k];
      if (k + 1 < n) {
        beside[k] = reflect(a, k);
      }
    }
    return values(diagonal, beside);
  }

  /** Makes row and column {@code k} zero but for the first number behind the diagonal: that. */
  private static double reflect(double[][] a, int k) {
    int n = a.length;
    double[] v = new double[n];
    double length = 0;
    for (int i = k + 1; i < n; i++) {
      v[i] = a[k][i];
      length += v[i] * v[i];
    }
    length = Math.sqrt(length);
    double first = v[k + 1] > 0 ? -length : length;
    v[k + 1] -= first;
    double square = 0;
    for (int i = k + 1; i < n; i++) {
      square += v[i] * v[i];
    }
    if (square == 0) {
      return first;
    }
    // A - v wᵀ - w vᵀ with w = p - (pᵀv / vᵀv) v, p = 2 A v / vᵀv.
    double[] w = new double[n];
    double along = 0;
    for (int i = k + 1; i < n; i++) {
      double sum = 0;
      double[] row = a[i];
      for (int j = k + 1; j < n; j++) {
        sum += row[j] * v[j];
      }
      w[i] = 2 * sum / square;
      along += w[i] * v[i];
    }
    for (int i = k + 1; i < n; i++) {
      w[i] -= along / square * v[i];
    }
    for (int i = k + 1; i < n; i++) {
      double[] row = a[i];
      double vi = v[i];
      double wi = w[i];
      for (int j = k + 1; j < n; j++) {
        row[j] -= vi * w[j] + wi * v[j];
      }
    }
    return first;
  }

  private static double[] values(double[] diagonal, double[] beside) {
    int n = diagonal.length;
    double bound = 0; // Gershgorin's
    for (int i = 0; i < n; i++) {
      double around = Math.abs(beside[i]) + (i > 0 ? Math.abs(beside[i - 1]) : 0);
      bound = Math.max(bound, Math.abs(diagonal[i]) + around);
    }
    double[] values = new double[n];
    for (int k = 0; k < n; k++) {
      double low = -bound;
      double high = k == 0 ? bound : values[k - 1];
      for (int i = 0; i < BISECTIONS && low < high; i++) {
        double middle = low + (high - low) / 2;
        if (n - below(diagonal, beside, middle) > k) {
          low = middle;
        } else {
          high = middle;
        }
      }
      values[k] = low + (high - low) / 2;
    }
    return values;
  }

  /** How many eigenvalues are below {@code x}: the negative pivots of T - x. */
  private static int below(double[] diagonal, double[] beside, double x) {
    int count = 0;
    double pivot = 1;
    for (int i = 0; i < diagonal.length; i++) {
      double join = i == 0 ? 0 : beside[i - 1];
      pivot = diagonal[i] - x - (join == 0 ? 0 : join * join / pivot);
      if (pivot == 0) {
        pivot = -Double.MIN_NORMAL;
      }
      count += pivot < 0 ? 1 : 0;
    }
    return count;
  }
}
