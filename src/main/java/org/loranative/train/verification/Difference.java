package org.loranative.train.verification;

/**
 * How far apart the logits of two models are on the same text.
 *
 * @param positions at which a next token was predicted
 * @param max largest difference of a logit
 * @param mean of the differences' sizes
 * @param kl mean of KL(first ‖ second), in nats
 * @param sameTop share of positions at which both find the same token likeliest
 */
public record Difference(long positions, double max, double mean, double kl, double sameTop) {
  /** Of none. */
  static final Difference NONE = new Difference(0, 0, 0, 0, 0);

  /** Of two [T, V]. */
  static Difference of(float[][] first, float[][] second) {
    double max = 0;
    double mean = 0;
    double kl = 0;
    long same = 0;
    for (int t = 0; t < first.length; t++) {
      float[] a = first[t];
      float[] b = second[t];
      double sizeA = logSumExp(a);
      double sizeB = logSumExp(b);
      double sum = 0;
      double apart = 0;
      for (int v = 0; v < a.length; v++) {
        double d = Math.abs((double) a[v] - b[v]);
        max = Math.max(max, d);
        sum += d;
        double p = a[v] - sizeA;
        apart += Math.exp(p) * (p - (b[v] - sizeB));
      }
      mean += sum / a.length;
      kl += Math.max(0, apart);
      same += top(a) == top(b) ? 1 : 0;
    }
    int n = Math.max(1, first.length);
    return new Difference(first.length, max, mean / n, kl / n, (double) same / n);
  }

  /** Of both texts together. */
  Difference with(Difference other) {
    double n = Math.max(1, positions + other.positions);
    double own = positions / n;
    double others = other.positions / n;
    return new Difference(
        positions + other.positions,
        Math.max(max, other.max),
        mean * own + other.mean * others,
        kl * own + other.kl * others,
        sameTop * own + other.sameTop * others);
  }

  private static int top(float[] x) {
    int top = 0;
    for (int v = 1; v < x.length; v++) {
      top = x[v] > x[top] ? v : top;
    }
    return top;
  }

  private static double logSumExp(float[] x) {
    double max = x[top(x)];
    double sum = 0;
    for (float v : x) {
      sum += Math.exp(v - max);
    }
    return max + Math.log(sum);
  }
}
