package org.loranative.lora;

import java.util.stream.DoubleStream;

/** The weight's largest singular values and their vectors (Meng et al. 2024). */
record PissaInit() implements BaseInit {
  @Override
  public String name() {
    return "pissa";
  }

  @Override
  public Factors factors(float[] weight, int out, int in, int rank, double scale) {
    SingularVectors s = SingularVectors.largest(weight, out, in, rank);
    double[][] a = new double[s.values().length][];
    double[][] b = new double[s.values().length][];
    for (int r = 0; r < a.length; r++) {
      double root = Math.sqrt(s.values()[r] / scale);
      a[r] = DoubleStream.of(s.right()[r]).map(x -> root * x).toArray();
      b[r] = DoubleStream.of(s.left()[r]).map(x -> root * x).toArray();
    }
    return Factors.of(rank, out, in, a, b);
  }
}
