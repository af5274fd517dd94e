package org.loranative.model.weights;

import java.util.stream.IntStream;
import org.loranative.io.TensorEntry;
import org.loranative.random.Philox;

/**
 * Rows for tokens that an embedding or a head does not have yet, drawn as transformers'
 * resize_token_embeddings draws them (mean_resizing): normal, with the mean of the old rows and a
 * billionth of their covariance. No covariance is made for it: a sum of the centred old rows w - m,
 * each times a standard normal number, over √V has exactly theirs. The same tokens begin alike in
 * every run.
 */
final class NewRows {
  private static final double EPSILON = 1e-9;

  /** Numbers that are read at once. */
  private static final int PIECE = 1 << 22;

  private NewRows() {}

  /**
   * @param entry of the old rows [V, C]
   * @param all rows, old and new
   * @return the new ones, [all - V, C]
   */
  static float[] draw(StoredRows rows, TensorEntry entry, long all) {
    int count = Math.toIntExact(all - entry.rows());
    int columns = Math.toIntExact(entry.columns());
    int old = Math.toIntExact(entry.rows());
    float[][] normals = new float[count][];
    double[] drawn = new double[count]; // the sum of each one's numbers
    for (int k = 0; k < count; k++) {
      normals[k] = Philox.normals(old, 0, Philox.NEW_ROWS, k, 0);
      for (float x : normals[k]) {
        drawn[k] += x;
      }
    }
    double[] mean = new double[columns];
    double[][] sums = new double[count][columns];
    int most = Math.max(1, PIECE / columns);
    for (int first = 0; first < old; first += most) {
      int n = Math.min(most, old - first);
      float[] x = new float[n * columns];
      rows.read(entry, first, n, x);
      for (int i = 0; i < x.length; i++) {
        mean[i % columns] += x[i] / (double) old;
      }
      int from = first;
      IntStream.range(0, count)
          .parallel()
          .forEach(
              k -> {
                double[] sum = sums[k];
                for (int row = 0; row < n; row++) {
                  double by = normals[k][from + row];
                  for (int c = 0; c < columns; c++) {
                    sum[c] += by * x[row * columns + c];
                  }
                }
              });
    }
    rows.done(entry);
    float[] made = new float[Math.multiplyExact(count, columns)];
    double scale = Math.sqrt(EPSILON / old);
    for (int i = 0; i < made.length; i++) {
      int k = i / columns;
      int c = i % columns;
      made[i] = (float) (mean[c] + scale * (sums[k][c] - drawn[k] * mean[c]));
    }
    return made;
  }
}
