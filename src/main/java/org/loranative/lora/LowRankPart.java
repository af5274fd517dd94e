package org.loranative.lora;

import java.util.Arrays;
import org.loranative.UserException;

/**
 * The low-rank matrix that is nearest to what a layer's weight gains, by its singular values
 * (Eckart and Young 1936), as LoRA of scale 1; both its matrices have the same share of each value.
 *
 * @param norm Frobenius norm of the whole
 * @param kept that of what is kept
 */
public record LowRankPart(AdaptedLayer layer, double norm, double kept) {
  /** Of the sum of singular values: further rounds of the iteration change less. */
  private static final double SETTLED = 1e-7;

  /**
   * What is near to a layer of LoRA. Its product is never made: both factors are brought to
   * orthonormal vectors, and the small matrix between them is taken apart.
   *
   * @param most ranks
   */
  public static LowRankPart of(AdaptedLayer layer, RankRule rule, int most) {
    AdaptedLayer.LowRank m = layer.lowRank().orElseThrow();
    requireFinite(layer.target(), Change.norm(m.a()) + Change.norm(m.b()));
    int rank = m.rank();
    double[][] left = columns(m.b(), rank); // [rank][out]
    double[][] right = rows(m.a(), rank); // [rank][in]
    double[][] leftFactor = factor(left);
    double[][] rightFactor = factor(right);
    float[] core = new float[rank * rank];
    double scale = layer.method().exported(layer).scale();
    for (int i = 0; i < rank; i++) {
      for (int j = 0; j < rank; j++) {
        double sum = 0;
        for (int r = 0; r < rank; r++) {
          sum += leftFactor[r][i] * rightFactor[r][j];
        }
        core[i * rank + j] = (float) (scale * sum);
      }
    }
    SingularVectors small = SingularVectors.largest(core, rank, rank, rank);
    double norm = Change.norm(small.values());
    int count = Math.min(rule.rank(small.values(), norm), most);
    double[][] u = SingularVectors.turned(Arrays.copyOf(small.left(), count), left);
    double[][] v = SingularVectors.turned(Arrays.copyOf(small.right(), count), right);
    return part(layer.target(), new SingularVectors(small.values(), u, v), count, norm);
  }

  /**
   * What is near to a whole matrix.
   *
   * @param difference [out, in], a convolution's as it lies in memory
   * @param most ranks
   */
  public static LowRankPart of(
      Adapters.Target target, float[] difference, RankRule rule, int most) {
    int out = Math.toIntExact(target.out());
    int in = Math.toIntExact(target.in());
    double norm = Change.norm(difference);
    requireFinite(target, norm);
    if (!rule.isLocal()) {
      // It asks for every value: those of the largest vectors alone would be another sum.
      int rank = Math.min(rule.rank(SingularVectors.values(difference, out, in), norm), most);
      return part(target, SingularVectors.largest(difference, out, in, rank, SETTLED), rank, norm);
    }
    SingularVectors largest = SingularVectors.largest(difference, out, in, most, SETTLED);
    int count = Math.min(rule.rank(largest.values(), norm), most);
    return part(target, largest, count, norm);
  }

  private static void requireFinite(Adapters.Target target, double norm) {
    if (!Double.isFinite(norm)) {
      throw new UserException(
          "What is to be taken apart of "
              + target.path()
              + " holds NaN or infinity; the adapter or model that it comes from is damaged.");
    }
  }

  private static LowRankPart part(
      Adapters.Target target, SingularVectors vectors, int count, double norm) {
    int out = Math.toIntExact(target.out());
    int in = Math.toIntExact(target.in());
    float[] a = new float[count * in];
    float[] b = new float[out * count];
    for (int k = 0; k < count; k++) {
      double root = Math.sqrt(vectors.values()[k]);
      for (int i = 0; i < in; i++) {
        a[k * in + i] = (float) (root * vectors.right()[k][i]);
      }
      for (int o = 0; o < out; o++) {
        b[o * count + k] = (float) (root * vectors.left()[k][o]);
      }
    }
    AdaptedLayer layer = AdaptedLayer.lowRank(target, count, new AdaptedLayer.LowRank(count, a, b));
    return new LowRankPart(layer, norm, Change.norm(Arrays.copyOf(vectors.values(), count)));
  }

  /** Makes vectors orthonormal; returns each old one in terms of the new: [old][new]. */
  private static double[][] factor(double[][] x) {
    double[][] old = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      old[i] = x[i].clone();
    }
    SingularVectors.orthonormalize(x);
    double[][] factor = new double[x.length][x.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x.length; j++) {
        factor[i][j] = SingularVectors.dot(old[i], x[j]);
      }
    }
    return factor;
  }

  private static double[][] rows(float[] a, int rank) {
    int n = a.length / rank;
    double[][] rows = new double[rank][n];
    for (int r = 0; r < rank; r++) {
      for (int i = 0; i < n; i++) {
        rows[r][i] = a[r * n + i];
      }
    }
    return rows;
  }

  private static double[][] columns(float[] b, int rank) {
    int n = b.length / rank;
    double[][] columns = new double[rank][n];
    for (int r = 0; r < rank; r++) {
      for (int i = 0; i < n; i++) {
        columns[r][i] = b[i * rank + r];
      }
    }
    return columns;
  }
}
