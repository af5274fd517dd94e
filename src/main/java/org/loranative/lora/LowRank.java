package org.loranative.lora;

/**
 * One module's adapter as a file holds it: the weight gains alpha / rank · B A.
 *
 * @param a [rank, in]
 * @param b [out, rank]
 * @param convolution whether files hold A as [rank, in, 1, 1] and B likewise, since the layer is a
 *     convolution of one pixel
 */
public record LowRank(
    int rank, double alpha, long in, long out, float[] a, float[] b, boolean convolution) {
  public LowRank {
    assert a.length == rank * in && b.length == rank * out;
  }

  public double scale() {
    return alpha / rank;
  }
}
