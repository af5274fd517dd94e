package org.loranative.lora;

/**
 * One module's adapter as a file holds it: the weight gains alpha / rank · B A.
 *
 * @param a [rank, in]
 * @param b [out, rank]
 */
public record LowRank(int rank, double alpha, long in, long out, float[] a, float[] b) {
  public LowRank {
    assert a.length == rank * in && b.length == rank * out;
  }

  public double scale() {
    return alpha / rank;
  }
}
