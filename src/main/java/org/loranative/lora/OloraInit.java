package org.loranative.lora;

/** B is an orthonormal basis of the weight's first columns, A what the weight is in it: QR. */
record OloraInit() implements BaseInit {
  @Override
  public String name() {
    return "olora";
  }

  @Override
  public Factors factors(float[] weight, int out, int in, int rank, double scale) {
    int most = Math.min(rank, Math.min(out, in));
    double[][] q = new double[most][out];
    for (int r = 0; r < most; r++) {
      for (int o = 0; o < out; o++) {
        q[r][o] = weight[o * in + r];
      }
    }
    SingularVectors.orthonormalize(q);
    double[][] rows = SingularVectors.timesMatrix(q, weight, out, in);
    float[] a = new float[rank * in];
    float[] b = new float[out * rank];
    for (int r = 0; r < most; r++) {
      for (int i = 0; i < in; i++) {
        a[r * in + i] = (float) rows[r][i];
      }
      for (int o = 0; o < out; o++) {
        b[o * rank + r] = (float) q[r][o];
      }
    }
    return new Factors(a, b);
  }
}
