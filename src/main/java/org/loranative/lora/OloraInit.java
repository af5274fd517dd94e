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
    return Factors.of(rank, out, in, SingularVectors.timesMatrix(q, weight, out, in), q);
  }
}
