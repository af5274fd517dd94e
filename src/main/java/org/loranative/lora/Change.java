package org.loranative.lora;

import java.util.List;

/**
 * How an adapter changes the weight of its layer.
 *
 * @param norm Frobenius norm of what the weight gains
 * @param spectra singular values, falling, of each product whose rank is the adapter's, as large as
 *     they enter the weight where it is one product alone; none where the adapter has no such
 *     product
 */
public record Change(double norm, List<double[]> spectra) {
  /** Of the square of the norm; the rest is what fewer directions would lose. */
  private static final double HELD = 0.99;

  /** Of one product. */
  static Change of(double[] spectrum) {
    double sum = 0;
    for (double x : spectrum) {
      sum += x * x;
    }
    return new Change(Math.sqrt(sum), List.of(spectrum));
  }

  /** Directions that hold 99 % of a product's squared norm, of the product that needs most. */
  public int directions() {
    return spectra.stream().mapToInt(Change::directions).max().orElse(0);
  }

  /** Directions that a product could have. */
  public int most() {
    return spectra.stream().mapToInt(s -> s.length).max().orElse(0);
  }

  private static int directions(double[] spectrum) {
    double all = 0;
    for (double x : spectrum) {
      all += x * x;
    }
    double held = 0;
    int count = 0;
    while (count < spectrum.length && held < HELD * all) {
      held += spectrum[count] * spectrum[count];
      count++;
    }
    return count;
  }

  /**
   * Singular values of {@code scale · left · right} without making it: of the two Gram matrices of
   * the rank's size, G and H, those are the roots of the eigenvalues of √H G √H.
   *
   * @param left [n, rank]
   * @param right [rank, m]
   */
  static double[] spectrum(float[] left, float[] right, int rank, double scale) {
    double[][] g = gram(rows(left, rank, false));
    Eigenvectors h = Eigenvectors.of(gram(rows(right, rank, true)));
    double[][] root = new double[rank][rank];
    for (int i = 0; i < rank; i++) {
      double length = Math.sqrt(Math.max(0, h.values()[i]));
      for (int j = 0; j < rank; j++) {
        root[i][j] = length * h.vectors()[i][j];
      }
    }
    double[] spectrum = Eigenvectors.of(turned(root, g)).values();
    for (int i = 0; i < rank; i++) {
      spectrum[i] = scale * Math.sqrt(Math.max(0, spectrum[i]));
    }
    return spectrum;
  }

  /** root · g · rootᵀ. */
  private static double[][] turned(double[][] root, double[][] g) {
    int n = g.length;
    double[][] half = new double[n][n];
    double[][] y = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        for (int j = 0; j < n; j++) {
          half[i][j] += root[i][k] * g[k][j];
        }
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        for (int k = 0; k < n; k++) {
          y[i][j] += half[i][k] * root[j][k];
        }
        y[j][i] = y[i][j];
      }
    }
    return y;
  }

  /** A matrix as rows of the rank's length. */
  private static double[][] rows(float[] x, int rank, boolean transposed) {
    int n = x.length / rank;
    double[][] rows = new double[n][rank];
    for (int i = 0; i < n; i++) {
      for (int r = 0; r < rank; r++) {
        rows[i][r] = transposed ? x[r * n + i] : x[i * rank + r];
      }
    }
    return rows;
  }

  private static double[][] gram(double[][] rows) {
    int rank = rows.length == 0 ? 0 : rows[0].length;
    double[][] g = new double[rank][rank];
    for (double[] row : rows) {
      for (int i = 0; i < rank; i++) {
        double by = row[i];
        double[] to = g[i];
        for (int j = 0; j < rank; j++) { // whole rows are vector code
          to[j] += by * row[j];
        }
      }
    }
    return g;
  }

  /** Frobenius norm. */
  static double norm(float[] x) {
    double sum = 0;
    for (float v : x) {
      sum += (double) v * v;
    }
    return Math.sqrt(sum);
  }
}
