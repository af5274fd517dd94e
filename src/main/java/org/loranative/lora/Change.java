package org.loranative.lora;

import java.util.List;
import org.loranative.io.Numbers;

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
    return of(List.of(spectrum));
  }

  /** Of products that each change a matrix of their own. */
  static Change of(List<double[]> spectra) {
    double squares = spectra.stream().mapToDouble(s -> norm(s) * norm(s)).sum();
    return new Change(Math.sqrt(squares), spectra);
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
   * the rank's size, G and H = L Lᵀ, those are the roots of the eigenvalues of Lᵀ G L.
   *
   * @param left [n, rank]
   * @param right [rank, m]
   */
  static double[] spectrum(float[] left, float[] right, int rank, double scale) {
    double[][] g = gram(rows(left, rank, false));
    double[][] upper = cholesky(gram(rows(right, rank, true)));
    double[] spectrum = Eigenvalues.of(turned(upper, g));
    for (int i = 0; i < rank; i++) {
      spectrum[i] = scale * Math.sqrt(Math.max(0, spectrum[i]));
    }
    return spectrum;
  }

  /** Lᵀ of a matrix L Lᵀ without negative eigenvalues; rows that add nothing are zeros. */
  private static double[][] cholesky(double[][] h) {
    int n = h.length;
    double largest = 0;
    for (int i = 0; i < n; i++) {
      largest = Math.max(largest, h[i][i]);
    }
    double[][] upper = new double[n][n];
    for (int k = 0; k < n; k++) {
      if (h[k][k] <= 1e-15 * largest) {
        continue;
      }
      double pivot = Math.sqrt(h[k][k]);
      for (int j = k; j < n; j++) {
        upper[k][j] = h[k][j] / pivot;
      }
      for (int i = k + 1; i < n; i++) {
        double by = upper[k][i];
        for (int j = i; j < n; j++) { // the upper half is enough
          h[i][j] -= by * upper[k][j];
        }
      }
    }
    return upper;
  }

  /** upper · g · upperᵀ. */
  private static double[][] turned(double[][] upper, double[][] g) {
    int n = g.length;
    double[][] half = new double[n][n];
    double[][] y = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int k = i; k < n; k++) {
        double by = upper[i][k];
        for (int j = 0; j < n; j++) {
          half[i][j] += by * g[k][j];
        }
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        for (int k = j; k < n; k++) {
          y[i][j] += half[i][k] * upper[j][k];
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
  public static double norm(float[] x) {
    double sum = 0;
    for (float v : x) {
      sum += (double) v * v;
    }
    return Math.sqrt(sum);
  }

  /** Likewise. */
  static double norm(Numbers x) {
    double[] sum = {0};
    x.inPieces(
        (from, piece, count) -> {
          for (int i = 0; i < count; i++) {
            sum[0] += (double) piece[i] * piece[i];
          }
        });
    return Math.sqrt(sum[0]);
  }

  /** That of a matrix with these singular values. */
  static double norm(double[] values) {
    double sum = 0;
    for (double s : values) {
      sum += s * s;
    }
    return Math.sqrt(sum);
  }
}
