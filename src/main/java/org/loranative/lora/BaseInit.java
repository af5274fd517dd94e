package org.loranative.lora;

/** A and B begin as a part of the weight, which the frozen one lacks from then on. */
public interface BaseInit extends LoraInit {
  /**
   * What they begin as.
   *
   * @param weight [out, in], row-major
   * @param scale that their product is multiplied by
   */
  Factors factors(float[] weight, int out, int in, int rank, double scale);

  @Override
  default AdapterMethod method(double plusRatio) {
    return new BaseStartMethod(this, new LowRankMethod(DEFAULT, plusRatio));
  }

  /**
   * A layer's matrices.
   *
   * @param a [rank, in]
   * @param b [out, rank]
   */
  record Factors(float[] a, float[] b) {}
}
