package org.loranative.lora;

import java.util.Arrays;

/**
 * The eigenvalues of a symmetric matrix, falling, and their vectors.
 *
 * @param vectors of each value
 */
record Eigenvectors(double[] values, double[][] vectors) {
  private static final int MOST_SWEEPS = 30;

  /**
   * Jacobi's rotations (1846).
   *
   * @param g symmetric; it is overwritten
   */
  static Eigenvectors of(double[][] g) {
    int n = g.length;
    double[][] turn = new double[n][n];
    for (int i = 0; i < n; i++) {
      turn[i][i] = 1;
    }
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
      boolean turned = false;
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          if (Math.abs(g[p][q]) > 1e-15 * Math.sqrt(g[p][p] * g[q][q])) {
            rotate(g, turn, p, q);
            turned = true;
          }
        }
      }
      if (!turned) {
        break;
      }
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (i, j) -> Double.compare(g[j][j], g[i][i]));
    double[] values = new double[n];
    double[][] vectors = new double[n][];
    for (int i = 0; i < n; i++) {
      values[i] = g[order[i]][order[i]];
      vectors[i] = turn[order[i]];
    }
    return new Eigenvectors(values, vectors);
  }

  /** One rotation that makes g[p][q] zero; rows of {@code turn} are the vectors. */
  private static void rotate(double[][] g, double[][] turn, int p, int q) {
    double theta = (g[q][q] - g[p][p]) / (2 * g[p][q]);
    double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    double c = 1 / Math.sqrt(t * t + 1);
    double s = t * c;
    for (int i = 0; i < g.length; i++) {
      double x = g[i][p];
      double y = g[i][q];
      g[i][p] = c * x - s * y;
      g[i][q] = s * x + c * y;
    }
    for (int i = 0; i < g.length; i++) {
      double x = g[p][i];
      double y = g[q][i];
      g[p][i] = c * x - s * y;
      g[q][i] = s * x + c * y;
      x = turn[p][i];
      y = turn[q][i];
      turn[p][i] = c * x - s * y;
      turn[q][i] = s * x + c * y;
    }
  }
}
