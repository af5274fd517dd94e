package org.loranative.diagnose;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Curves drawn at random, of which it is known what is wrong with them. */
final class Synthetic {
  static final List<String> LABELS =
      List.of(
          "healthy",
          "unstable",
          "not_finite",
          "flat",
          "no_descent",
          "overfitting",
          "exploding_gradients",
          "vanishing_updates",
          "dead_adapters",
          "schedule",
          "throughput_drop");

  private Synthetic() {}

  /** A run with one thing wrong. */
  static Labelled draw(String label, boolean diffusion, Random r) {
    int n = 60 + r.nextInt(400);
    double start = diffusion ? 0.11 + 0.02 * r.nextDouble() : 2.5 + 2 * r.nextDouble();
    double end = diffusion ? start * 0.85 : 0.8 + r.nextDouble();
    double noise = diffusion ? 0.03 + 0.02 * r.nextDouble() : (0.03 + 0.1 * r.nextDouble()) * start;
    double pace = n * (0.1 + 0.2 * r.nextDouble());
    int turn = n / 3 + r.nextInt(n / 3);
    Map<String, List<double[]>> points = new HashMap<>();
    for (int i = 1; i <= n; i++) {
      double level = end + (start - end) * Math.exp(-i / pace);
      double measured = level;
      double norm = 0.5 + 0.5 * Math.exp(-i / pace) + 0.1 * r.nextDouble();
      double rate = 5e-4 * (1 - (double) i / n);
      double speed = 1000 * (1 + 0.05 * r.nextGaussian());
      double dead = 0;
      switch (label) {
        case "unstable" -> level *= i > turn ? 1 + 3.0 * (i - turn) / (n - turn + 1) : 1;
        case "not_finite" -> level = i == n ? Double.NaN : level;
        case "flat" -> level = start;
        case "no_descent" -> level = 8 + r.nextDouble();
        case "overfitting" -> measured *= 1 + (i > turn ? 0.5 * (i - turn) / (n - turn) : 0);
        case "exploding_gradients" ->
            norm *= i > turn ? Math.exp(5.0 * (i - turn) / (n - turn)) : 1;
        case "vanishing_updates" -> norm *= i > turn ? 1e-6 : 1;
        case "dead_adapters" -> dead = 3;
        case "schedule" -> rate = 5e-4 * i / n;
        case "throughput_drop" -> speed *= i > turn ? 0.4 : 1;
        default -> {}
      }
      boolean learnt = !label.equals("flat") && !label.equals("unstable");
      add(
          points,
          "Loss/train",
          i,
          level + noise * r.nextGaussian() * (diffusion ? 1 : level / start));
      add(points, "grad_norm", i, norm);
      add(points, "lr", i, rate);
      add(points, "perf/tokens_per_s", i, speed);
      if (i % Math.max(1, n / 15) == 0) {
        double small = start * 0.0005 * r.nextGaussian();
        add(points, "Loss/val", i, (learnt ? measured : level) * 1.05 + small);
        if (diffusion) {
          add(
              points,
              "Loss/probe",
              i,
              label.equals("overfitting") ? level : (learnt ? measured : level));
        }
        add(points, "adapter/dead_layers", i, dead);
      }
    }
    Map<String, Curve> curves = new HashMap<>();
    points.forEach(
        (tag, list) ->
            curves.put(
                tag,
                new Curve(
                    list.stream().mapToLong(p -> (long) p[0]).toArray(),
                    list.stream().mapToDouble(p -> p[1]).toArray())));
    Map<String, String> settings =
        Map.of("task_type", diffusion ? "sd" : "llm", "total_steps", String.valueOf(n));
    String name = label + (diffusion ? " (sd)" : " (llm)");
    return new Labelled(name, label, new RunCurves(curves, settings));
  }

  private static void add(Map<String, List<double[]>> points, String tag, int step, double value) {
    points.computeIfAbsent(tag, t -> new ArrayList<>()).add(new double[] {step, value});
  }
}
