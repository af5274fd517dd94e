package org.loranative.diagnose;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;

/** Builds one drawn run: a level, noise about it, and what else is written. */
final class Series {
  final Random r;
  final int n;
  private final Map<String, long[]> steps = new HashMap<>();
  private final Map<String, double[]> values = new HashMap<>();
  private final Map<String, String> settings = new HashMap<>();

  Series(Random r, int n) {
    this.r = r;
    this.n = n;
  }

  double between(double low, double high) {
    return low + (high - low) * r.nextDouble();
  }

  /** A descent by an exponential, the step as a share of the run. */
  static IntToDoubleFunction falls(double start, double end, double pace) {
    return i -> end + (start - end) * Math.exp(-i / pace);
  }

  /** A curve over every step. */
  Series curve(String tag, IntToDoubleFunction value) {
    return curve(tag, 1, value);
  }

  /** Measured before the first step and then every so many. */
  Series measured(String tag, int every, IntToDoubleFunction value) {
    int k = n / every + 1;
    long[] at = new long[k];
    double[] v = new double[k];
    for (int j = 0; j < k; j++) {
      at[j] = (long) j * every;
      v[j] = value.applyAsDouble((int) at[j]);
    }
    steps.put(tag, at);
    values.put(tag, v);
    return this;
  }

  /** Every so many steps. */
  Series curve(String tag, int every, IntToDoubleFunction value) {
    int k = n / every;
    long[] at = new long[k];
    double[] v = new double[k];
    for (int j = 0; j < k; j++) {
      at[j] = (long) (j + 1) * every;
      v[j] = value.applyAsDouble((int) at[j]);
    }
    steps.put(tag, at);
    values.put(tag, v);
    return this;
  }

  /** Means of so many steps, as trainers log them. */
  Series means(String tag, String from, int of) {
    double[] v = values.remove(from);
    steps.remove(from);
    int k = v.length / of;
    long[] at = new long[k];
    double[] m = new double[k];
    for (int j = 0; j < k; j++) {
      at[j] = (long) (j + 1) * of;
      m[j] = Statistics.mean(v, j * of, (j + 1) * of);
    }
    steps.put(tag, at);
    values.put(tag, m);
    return this;
  }

  /** The mean of all steps before, as kohya's scripts smooth. */
  Series average(String tag, String from, int of) {
    double[] v = values.remove(from);
    double[] m = new double[v.length];
    for (int i = 0; i < v.length; i++) {
      m[i] = Statistics.mean(v, Math.max(0, i + 1 - of), i + 1);
    }
    steps.put(tag, steps.remove(from));
    values.put(tag, m);
    return this;
  }

  Series set(String key, Object value) {
    settings.put(key, String.valueOf(value));
    return this;
  }

  RunCurves run() {
    Map<String, Curve> curves = new HashMap<>();
    steps.forEach((tag, at) -> curves.put(tag, new Curve(at, values.get(tag))));
    return new RunCurves(curves, settings);
  }

  /** Factors about 1, one for each step. */
  interface Noise {
    double[] of(Random r, int n);

    static Noise gaussian(double sd) {
      return (r, n) -> fill(n, () -> 1 + sd * r.nextGaussian());
    }

    /** Student's t of three degrees of freedom: some far off. */
    static Noise heavy(double sd) {
      return (r, n) ->
          fill(
              n,
              () -> {
                double s =
                    Math.hypot(Math.hypot(r.nextGaussian(), r.nextGaussian()), r.nextGaussian());
                return Math.max(0.1, 1 + sd * r.nextGaussian() / s * Math.sqrt(3) / 1.7);
              });
    }

    static Noise lognormal(double sd) {
      return (r, n) -> fill(n, () -> Math.exp(sd * r.nextGaussian() - sd * sd / 2));
    }

    /** A share of the steps is so many times as hard. */
    default Noise hard(double share, double times) {
      return (r, n) -> {
        double[] v = of(r, n);
        for (int i = 0; i < n; i++) {
          v[i] *= r.nextDouble() < share ? times : 1;
        }
        return v;
      };
    }

    /** Neighbouring steps are alike. */
    static Noise alike(double rho, double sd) {
      return (r, n) -> {
        double[] v = new double[n];
        double x = r.nextGaussian();
        for (int i = 0; i < n; i++) {
          v[i] = Math.exp(sd * x);
          x = rho * x + Math.sqrt(1 - rho * rho) * r.nextGaussian();
        }
        return v;
      };
    }

    /** Records of one source after those of another, each as hard as it is. */
    default Noise blocks(double spread) {
      return (r, n) -> {
        double[] v = of(r, n);
        int blocks = 3 + r.nextInt(6);
        double factor = 1;
        for (int i = 0, next = 0; i < n; i++) {
          if (i == next) {
            factor = Math.exp(Math.max(-1.6, Math.min(1.6, r.nextGaussian())) * spread);
            next = i + Math.max(1, n / blocks / 2 + r.nextInt(Math.max(1, n / blocks)));
          }
          v[i] *= factor;
        }
        return v;
      };
    }

    private static double[] fill(int n, java.util.function.DoubleSupplier draw) {
      double[] v = new double[n];
      for (int i = 0; i < n; i++) {
        v[i] = draw.getAsDouble();
      }
      return v;
    }
  }
}
