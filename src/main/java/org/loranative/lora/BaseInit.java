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
  record Factors(float[] a, float[] b) {
    /**
     * Of vectors for as many ranks as the weight has; what is left of the rank is 0.
     *
     * @param a rows of A
     * @param b columns of B
     */
    static Factors of(int rank, int out, int in, double[][] a, double[][] b) {
      Factors f = new Factors(new float[rank * in], new float[out * rank]);
      for (int r = 0; r < a.length; r++) {
        for (int i = 0; i < in; i++) {
          f.a[r * in + i] = (float) a[r][i];
        }
        for (int o = 0; o < out; o++) {
          f.b[o * rank + r] = (float) b[r][o];
        }
      }
      return f;
    }
  }
}
