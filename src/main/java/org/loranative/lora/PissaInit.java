package org.loranative.lora;

/** The weight's largest singular values and their vectors (Meng et al. 2024). */
record PissaInit() implements BaseInit {
  @Override
  public String name() {
    return "pissa";
  }

  @Override
  public Factors factors(float[] weight, int out, int in, int rank, double scale) {
    SingularVectors s = SingularVectors.largest(weight, out, in, rank);
    float[] a = new float[rank * in];
    float[] b = new float[out * rank];
    for (int r = 0; r < s.values().length; r++) {
      double root = Math.sqrt(s.values()[r] / scale);
      for (int i = 0; i < in; i++) {
        a[r * in + i] = (float) (root * s.right()[r][i]);
      }
      for (int o = 0; o < out; o++) {
        b[o * rank + r] = (float) (root * s.left()[r][o]);
      }
    }
    return new Factors(a, b);
  }
}
