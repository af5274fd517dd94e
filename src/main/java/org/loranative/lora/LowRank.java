package org.loranative.lora;

/**
 * One module's adapter as a file holds it: the weight gains alpha / rank · B A.
 *
 * @param target the layer
 * @param a [rank, in], of a convolution [rank, kernel, kernel, channels]
 * @param b [out, rank]
 * @param convolution whether files hold A as [rank, channels, kernel, kernel] and B as [out, rank,
 *     1, 1], which they do for convolutions of one pixel too
 */
public record LowRank(
    Adapters.Target target, int rank, double alpha, float[] a, float[] b, boolean convolution) {
  public LowRank {
    assert a.length == rank * target.in() && b.length == rank * target.out();
  }

  public double scale() {
    return alpha / rank;
  }

  /** A [rows, taps, channels] as [rows, channels, taps], or back. */
  static float[] transposed(float[] x, int rows, int first, int second) {
    float[] y = new float[x.length];
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < first; i++) {
        for (int j = 0; j < second; j++) {
          y[(row * second + j) * first + i] = x[(row * first + i) * second + j];
        }
      }
    }
    return y;
  }

  /** A in the order of files. */
  float[] fileA() {
    int taps = target.kernel() * target.kernel();
    return transposed(a, rank, taps, (int) (target.in() / taps));
  }

  /** Numbers in the order of files, as {@link #a} holds them. */
  static float[] ofFile(float[] a, Adapters.Target target, int rank) {
    int taps = target.kernel() * target.kernel();
    return transposed(a, rank, (int) (target.in() / taps), taps);
  }
}
