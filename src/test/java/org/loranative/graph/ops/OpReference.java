package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.loranative.testing.Errors;

/**
 * One draw of a case and what f64 says of it: outputs, and the derivatives of Σ dy·y by central
 * differences. They are the same on every device and in every dtype and cost more than the op
 * itself, so they are computed once.
 */
final class OpReference {
  private static final Map<String, OpReference> KNOWN = new ConcurrentHashMap<>();
  private static final double STEP = 1e-5;

  /** Along so many a gradient is measured: what it costs does not grow with the input. */
  private static final int DIRECTIONS = 32;

  private static final int NOISE_DRAWS = 8;

  final OpCase.Instance instance;

  /** The gradient of each output. */
  final List<float[]> dys = new ArrayList<>();

  final List<double[]> outputs;
  private final Map<String, double[]> at = new HashMap<>();
  private final Map<String, double[]> derivatives = new HashMap<>();
  private final long seed;

  /** Draw {@code i} of a case, from a seed. */
  static OpReference of(OpCase c, long seed, int i) {
    return KNOWN.computeIfAbsent(
        c.name() + " " + seed + " " + i,
        n -> new OpReference(c, seed ^ c.name().hashCode() ^ (long) i << 32));
  }

  private OpReference(OpCase c, long seed) {
    this.seed = seed;
    Random random = new Random(seed);
    instance = c.draw().apply(random);
    instance.differentiable.forEach((n, v) -> at.put(n, wide(v)));
    instance.fixed.forEach(
        (n, v) -> {
          if (v instanceof float[] f) {
            at.put(n, wide(f));
          }
        });
    outputs = instance.reference.apply(at);
    for (double[] y : outputs) {
      dys.add(OpCases.normal(random, y.length, 1));
    }
  }

  /** How far an input's gradient is from the true one, as a share of it. */
  double error(String name, float[] gradient) {
    return Errors.relative(along(name, gradient), derivatives(name));
  }

  private double[] derivatives(String name) {
    return derivatives.computeIfAbsent(name, n -> numeric(at, n, dys));
  }

  /**
   * How far an input's gradient moves when every number it is made of is off by one rounding: where
   * terms cancel, no arithmetic of that precision does better. The most of a few draws, since one
   * draw may leave a gradient of a few numbers where it is.
   *
   * @param unit the rounding, as a share of a number
   * @param enough no further draw is needed
   */
  double noise(String name, double unit, double enough) {
    Random random = new Random(seed ^ name.hashCode());
    double most = 0;
    for (int i = 0; i < NOISE_DRAWS && most < enough; i++) {
      Map<String, double[]> moved = moved(random, unit);
      List<float[]> movedDys = new ArrayList<>();
      for (float[] dy : dys) {
        float[] y = dy.clone();
        for (int j = 0; j < y.length; j++) {
          y[j] *= (float) (1 + unit * (random.nextBoolean() ? 1 : -1));
        }
        movedDys.add(y);
      }
      float[] there = narrow(numeric(moved, name, movedDys));
      most = Math.max(most, Errors.relative(there, derivatives(name)));
    }
    return most;
  }

  /** Likewise an output. */
  double outputNoise(int output, double unit, double enough) {
    Random random = new Random(seed);
    double most = 0;
    for (int i = 0; i < NOISE_DRAWS && most < enough; i++) {
      double[] y = instance.reference.apply(moved(random, unit)).get(output);
      most = Math.max(most, Errors.relative(narrow(y), outputs.get(output)));
    }
    return most;
  }

  private Map<String, double[]> moved(Random random, double unit) {
    Map<String, double[]> moved = new HashMap<>();
    at.forEach(
        (n, x) -> {
          double[] y = x.clone();
          for (int i = 0; i < y.length; i++) {
            y[i] *= 1 + unit * (random.nextBoolean() ? 1 : -1);
          }
          moved.put(n, y);
        });
    return moved;
  }

  private static float[] narrow(double[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) x[i];
    }
    return y;
  }

  /** The derivative along each of an input's directions. */
  private double[] numeric(Map<String, double[]> at, String name, List<float[]> dys) {
    double[] x = at.get(name);
    double[] middle = x.clone();
    List<double[]> directions = directions(name);
    double[] derivatives = new double[directions.size()];
    for (int k = 0; k < derivatives.length; k++) {
      double up = moved(at, x, middle, directions.get(k), STEP, dys);
      double down = moved(at, x, middle, directions.get(k), -STEP, dys);
      derivatives[k] = (up - down) / (2 * STEP);
    }
    System.arraycopy(middle, 0, x, 0, x.length);
    return derivatives;
  }

  /** Σ dy·y beside the middle. */
  private double moved(
      Map<String, double[]> at,
      double[] x,
      double[] middle,
      double[] direction,
      double step,
      List<float[]> dys) {
    for (int i = 0; i < x.length; i++) {
      x[i] = middle[i] + step * direction[i];
    }
    return dot(instance.reference.apply(at), dys);
  }

  /** What a gradient says of the derivatives along an input's directions. */
  private float[] along(String name, float[] gradient) {
    List<double[]> directions = directions(name);
    float[] derivatives = new float[directions.size()];
    for (int k = 0; k < derivatives.length; k++) {
      double sum = 0;
      for (int i = 0; i < gradient.length; i++) {
        sum += directions.get(k)[i] * gradient[i];
      }
      derivatives[k] = (float) sum;
    }
    return derivatives;
  }

  /**
   * The axes, or random signs where these are fewer: then the square of an error along one of them
   * is on average that of the whole gradient's error, so nothing that is wrong in it is left out
   * (Johnson and Lindenstrauss).
   */
  private List<double[]> directions(String name) {
    int count = at.get(name).length;
    Random random = new Random(seed ^ name.hashCode());
    List<double[]> directions = new ArrayList<>();
    for (int k = 0; k < Math.min(count, DIRECTIONS); k++) {
      double[] direction = new double[count];
      if (count <= DIRECTIONS) {
        direction[k] = 1;
      } else {
        Arrays.setAll(direction, i -> random.nextBoolean() ? 1 : -1);
      }
      directions.add(direction);
    }
    return directions;
  }

  private static double dot(List<double[]> ys, List<float[]> dys) {
    double sum = 0;
    for (int k = 0; k < ys.size(); k++) {
      for (int i = 0; i < ys.get(k).length; i++) {
        sum += ys.get(k)[i] * dys.get(k)[i];
      }
    }
    return sum;
  }

  private static double[] wide(float[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i];
    }
    return y;
  }
}
