package org.loranative.testing;

import java.util.Arrays;

/**
 * Singular values by one-sided rotations of columns (Hestenes 1958), in f64: the reference for what
 * is computed by other ways.
 *
 * @param values falling
 * @param left of each value [rows]
 * @param right of each value [columns]
 */
public record JacobiSvd(double[] values, double[][] left, double[][] right) {

  /** Of {@code matrix} [rows, columns]. */
  public static JacobiSvd of(double[] matrix, int rows, int columns) {
    double[][] u = new double[columns][rows];
    double[][] v = new double[columns][columns];
    for (int j = 0; j < columns; j++) {
      v[j][j] = 1;
      for (int i = 0; i < rows; i++) {
        u[j][i] = matrix[i * columns + j];
      }
    }
    boolean turned = true;
    for (int sweep = 0; turned && sweep < 60; sweep++) {
      turned = false;
      for (int p = 0; p < columns; p++) {
        for (int q = p + 1; q < columns; q++) {
          double a = dot(u[p], u[p]);
          double b = dot(u[q], u[q]);
          double c = dot(u[p], u[q]);
          if (Math.abs(c) > 1e-15 * Math.sqrt(a * b) && c != 0) {
            double zeta = (b - a) / (2 * c);
            double t = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
            double cos = 1 / Math.sqrt(1 + t * t);
            rotate(u[p], u[q], cos, cos * t);
            rotate(v[p], v[q], cos, cos * t);
            turned = true;
          }
        }
      }
    }
    Integer[] order = new Integer[columns];
    Arrays.setAll(order, j -> j);
    Arrays.sort(order, (p, q) -> Double.compare(dot(u[q], u[q]), dot(u[p], u[p])));
    int n = Math.min(rows, columns);
    double[] values = new double[n];
    double[][] left = new double[n][];
    double[][] right = new double[n][];
    for (int k = 0; k < n; k++) {
      double[] x = u[order[k]];
      double length = Math.sqrt(dot(x, x));
      values[k] = length;
      left[k] = Arrays.stream(x).map(y -> length == 0 ? 0 : y / length).toArray();
      right[k] = v[order[k]];
    }
    return new JacobiSvd(values, left, right);
  }

  /** The nearest matrix of a rank [rows, columns] (Eckart and Young). */
  public double[] truncated(int rank) {
    int columns = right[0].length;
    double[] y = new double[left[0].length * columns];
    for (int k = 0; k < Math.min(rank, values.length); k++) {
      for (int i = 0; i < y.length; i++) {
        y[i] += values[k] * left[k][i / columns] * right[k][i % columns];
      }
    }
    return y;
  }

  private static void rotate(double[] x, double[] y, double cos, double sin) {
    for (int i = 0; i < x.length; i++) {
      double a = x[i];
      x[i] = cos * a - sin * y[i];
      y[i] = sin * a + cos * y[i];
    }
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
