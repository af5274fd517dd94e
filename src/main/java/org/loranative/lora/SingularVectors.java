package org.loranative.lora;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.loranative.random.Philox;

/**
 * The largest singular values of a matrix [rows, columns], falling, and their vectors.
 *
 * @param left of each value [rows]
 * @param right of each value [columns]
 */
record SingularVectors(double[] values, double[][] left, double[][] right) {
  private static final int MORE = 16; // vectors than are asked for: those converge faster
  private static final int MOST_ROUNDS = 16; // as PEFT's pissa_niter_16
  private static final double SETTLED = 1e-10;
  private static final int COLUMNS = 256; // of a task
  private static final int ROWS = 4; // of a task

  /** Subspace iteration from random vectors (Halko et al. 2011, §4.5), of a fixed seed. */
  static SingularVectors largest(float[] matrix, int rows, int columns, int count) {
    return largest(matrix, rows, columns, count, SETTLED);
  }

  /**
   * Likewise.
   *
   * @param settled how little of the values' sum a round may change for it to be the last
   */
  static SingularVectors largest(float[] matrix, int rows, int columns, int count, double settled) {
    int most = Math.min(rows, columns);
    int wanted = Math.min(count, most);
    int k = Math.min(wanted + MORE, most);
    double[][] right = new double[k][columns];
    for (int j = 0; j < k; j++) {
      float[] x = Philox.normals(columns, 0, Philox.LORA_INIT, j, 0);
      Arrays.setAll(right[j], i -> x[i]);
    }
    double before = 0;
    for (int round = 1; ; round++) {
      double[][] left = timesTransposed(right, matrix, rows, columns);
      orthonormalize(left);
      right = timesMatrix(left, matrix, rows, columns);
      double[][] turn = sortedRotation(right);
      left = turned(turn, left);
      right = turned(turn, right);
      double[] values = new double[wanted];
      double sum = 0;
      for (int j = 0; j < k; j++) {
        double length = Math.sqrt(dot(right[j], right[j]));
        if (j < wanted) {
          values[j] = length;
          sum += length;
        }
        for (int i = 0; i < columns && length > 0; i++) {
          right[j][i] /= length;
        }
      }
      if (Math.abs(sum - before) <= settled * sum || round == MOST_ROUNDS) {
        return new SingularVectors(
            values, Arrays.copyOf(left, wanted), Arrays.copyOf(right, wanted));
      }
      before = sum;
    }
  }

  /**
   * All singular values of a matrix, falling, without vectors: the roots of the eigenvalues of its
   * smaller Gram matrix. Values below 1e-8 of the largest are rounding.
   */
  static double[] values(float[] matrix, int rows, int columns) {
    boolean wide = rows <= columns;
    int n = wide ? rows : columns;
    int m = wide ? columns : rows;
    double[][] lines = new double[n][m];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < m; j++) {
        lines[i][j] = wide ? matrix[i * columns + j] : matrix[j * columns + i];
      }
    }
    double[][] gram = new double[n][n];
    IntStream.range(0, n)
        .parallel()
        .forEach(
            i -> {
              for (int j = 0; j < n; j++) {
                gram[i][j] = dot(lines[i], lines[j]);
              }
            });
    return Arrays.stream(Eigenvalues.of(gram)).map(x -> Math.sqrt(Math.max(0, x))).toArray();
  }

  /** Each of {@code x} [columns] times the matrix's transpose: [rows]. */
  private static double[][] timesTransposed(double[][] x, float[] matrix, int rows, int columns) {
    double[][] y = new double[x.length][rows];
    double[][] byColumn = new double[columns][x.length]; // sums side by side are vector code
    for (int j = 0; j < x.length; j++) {
      for (int c = 0; c < columns; c++) {
        byColumn[c][j] = x[j][c];
      }
    }
    IntStream.range(0, (rows + ROWS - 1) / ROWS)
        .parallel()
        .forEach(
            part -> {
              int first = part * ROWS;
              int count = Math.min(ROWS, rows - first);
              double[][] sums = new double[ROWS][x.length];
              for (int c = 0; c < columns; c++) {
                if (count == ROWS) {
                  addToFour(sums, matrix, first * columns + c, columns, byColumn[c]);
                } else {
                  for (int r = 0; r < count; r++) {
                    add(sums[r], matrix[(first + r) * columns + c], byColumn[c]);
                  }
                }
              }
              for (int r = 0; r < count; r++) {
                for (int j = 0; j < x.length; j++) {
                  y[j][first + r] = sums[r][j];
                }
              }
            });
    return y;
  }

  /** What is added is read once for four rows of the matrix. */
  private static void addToFour(double[][] sums, float[] matrix, int at, int columns, double[] x) {
    double[] a = sums[0];
    double[] b = sums[1];
    double[] c = sums[2];
    double[] d = sums[3];
    double byA = matrix[at];
    double byB = matrix[at + columns];
    double byC = matrix[at + 2 * columns];
    double byD = matrix[at + 3 * columns];
    for (int i = 0; i < x.length; i++) {
      a[i] += byA * x[i];
      b[i] += byB * x[i];
      c[i] += byC * x[i];
      d[i] += byD * x[i];
    }
  }

  /** Each of {@code x} [rows] times the matrix: [columns]. */
  static double[][] timesMatrix(double[][] x, float[] matrix, int rows, int columns) {
    double[][] y = new double[x.length][columns];
    IntStream.range(0, (columns + COLUMNS - 1) / COLUMNS)
        .parallel()
        .forEach(
            part -> {
              int first = part * COLUMNS;
              int count = Math.min(columns - first, COLUMNS);
              double[][] sums = new double[x.length][count];
              double[] wide = new double[count]; // converted once, not for each vector
              for (int row = 0; row < rows; row++) {
                for (int c = 0; c < count; c++) {
                  wide[c] = matrix[row * columns + first + c];
                }
                for (int j = 0; j < x.length; j++) {
                  add(sums[j], x[j][row], wide);
                }
              }
              for (int j = 0; j < x.length; j++) {
                System.arraycopy(sums[j], 0, y[j], first, count);
              }
            });
    return y;
  }

  /** Gram and Schmidt's, twice; what depends on vectors before it becomes zeros. */
  static void orthonormalize(double[][] x) {
    for (int j = 0; j < x.length; j++) {
      double size = Math.sqrt(dot(x[j], x[j]));
      for (int again = 0; again < 2; again++) {
        for (int k = 0; k < j; k++) {
          add(x[j], -dot(x[j], x[k]), x[k]);
        }
      }
      double length = Math.sqrt(dot(x[j], x[j]));
      double by = length > 1e-12 * size ? 1 / length : 0;
      for (int i = 0; i < x[j].length; i++) {
        x[j][i] *= by;
      }
    }
  }

  /** Turns vectors so that they are orthogonal, the longest first. */
  private static double[][] sortedRotation(double[][] x) {
    int n = x.length;
    double[][] g = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        g[i][j] = dot(x[i], x[j]);
        g[j][i] = g[i][j];
      }
    }
    return Eigenvectors.of(g).vectors();
  }

  /** Sums of vectors {@code x}, by as much of each as rows of {@code turn} say. */
  static double[][] turned(double[][] turn, double[][] x) {
    double[][] y = new double[turn.length][x[0].length];
    IntStream.range(0, turn.length)
        .parallel()
        .forEach(
            j -> {
              for (int k = 0; k < x.length; k++) {
                add(y[j], turn[j][k], x[k]);
              }
            });
    return y;
  }

  private static void add(double[] y, double by, double[] x) {
    for (int i = 0; i < y.length; i++) {
      y[i] += by * x[i];
    }
  }

  static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
