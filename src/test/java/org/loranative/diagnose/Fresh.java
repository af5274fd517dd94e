package org.loranative.diagnose;

import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import org.loranative.diagnose.Finding.Symptom;
import org.loranative.diagnose.Series.Noise;

/** Kinds of curves of yet other shapes: schedules, epochs, rounding, sources, late faults. */
final class Fresh {
  private Fresh() {}

  private static Series llm(Random r, int n, IntToDoubleFunction level, Noise noise) {
    double[] v = noise.of(r, n);
    return new Series(r, n)
        .set("task_type", "llm")
        .set("total_steps", n)
        .set("shuffle", true)
        .set("learning_rate", 3e-4)
        .curve("Loss/train", i -> level.applyAsDouble(i) * v[i - 1]);
  }

  private static int steps(Random r) {
    return 120 + r.nextInt(500);
  }

  private static IntToDoubleFunction falls(Random r, int n) {
    double end = 0.8 + 1.2 * r.nextDouble();
    double rest = 0.5 + r.nextDouble();
    double pace = 3 + 6 * r.nextDouble();
    return i -> end + rest * Math.exp(-pace * i / n);
  }

  /** A run with validation whose level is a function of the share of the run that is done. */
  private static RunCurves validated(
      Random r, int times, double jitter, java.util.function.DoubleUnaryOperator held) {
    int n = steps(r);
    return llm(r, n, falls(r, n), Noise.gaussian(0.12))
        .measured(
            "Loss/val",
            Math.max(1, n / times),
            i -> held.applyAsDouble((double) i / n) * (1 + jitter * r.nextGaussian()))
        .run();
  }

  private static Drawn of(
      String name, Set<Symptom> expected, java.util.function.Function<Random, RunCurves> draw) {
    return new Drawn(name, expected, draw);
  }

  /** A run whose level is that of one that falls, times a factor of the share that is done. */
  private static RunCurves shaped(
      Random r, int longest, Noise noise, java.util.function.DoubleUnaryOperator factor) {
    int n = Math.min(longest, steps(r));
    IntToDoubleFunction f = falls(r, n);
    return llm(r, n, i -> f.applyAsDouble(i) * factor.applyAsDouble((double) i / n), noise).run();
  }

  static List<Drawn> all() {
    Set<Symptom> none = Set.of();
    Set<Symptom> climbs = Set.of(Symptom.CLIMB, Symptom.UNSTABLE);
    Set<Symptom> overfits = Set.of(Symptom.OVERFITTING);
    return List.of(
        of(
            "restarts of the rate",
            none,
            r -> shaped(r, 900, Noise.gaussian(0.1), t -> 1 + 0.08 * Math.exp(-12 * (3 * t % 1)))),
        of(
            "a drop at each epoch",
            none,
            r -> shaped(r, 900, Noise.gaussian(0.12), t -> Math.pow(0.86, Math.floor(3 * t)))),
        of(
            "a drop where the rate decays",
            none,
            r -> shaped(r, 900, Noise.lognormal(0.3), t -> t > 0.7 ? 0.8 : 1)),
        of(
            "noise that shrinks",
            none,
            r -> {
              int n = steps(r);
              IntToDoubleFunction f = falls(r, n);
              return llm(
                      r,
                      n,
                      i -> f.applyAsDouble(i) * (1 + 0.4 * (1 - (double) i / n) * r.nextGaussian()),
                      Noise.gaussian(0.02))
                  .run();
            }),
        of(
            "two kinds of records, one five times as hard",
            none,
            r -> shaped(r, 900, Noise.gaussian(0.1).hard(0.5, 5), t -> 0.4)),
        of(
            "rounded to one decimal",
            none,
            r -> {
              int n = steps(r);
              IntToDoubleFunction f = falls(r, n);
              double[] v = Noise.gaussian(0.08).of(r, n);
              return new Series(r, n)
                  .set("task_type", "llm")
                  .curve("train/loss", i -> Math.round(10 * f.applyAsDouble(i) * v[i - 1]) / 10.0)
                  .run();
            }),
        of("sixty steps", none, r -> shaped(r, 60, Noise.heavy(0.15), t -> 1)),
        of(
            "a hump in the warmup",
            none,
            r ->
                shaped(
                    r,
                    900,
                    Noise.gaussian(0.1),
                    t -> 1 + 0.12 * Math.exp(-900 * Math.pow(t - 0.05, 2)))),
        of(
            "validation, five times, ever more slowly",
            none,
            r -> validated(r, 5, 0.002, t -> 1.5 + 0.6 * Math.exp(-5 * t))),
        of(
            "validation falls and stays, 0.5 % of jitter",
            none, r -> validated(r, 18, 0.005, t -> 1.7 + 0.5 * Math.exp(-9 * t))),
        of(
            "validation rises by a quarter of a percent",
            none,
            r -> validated(r, 14, 0.0005, t -> 1.7 + 0.5 * Math.exp(-8 * t) + 0.004 * t)),
        of(
            "images, probe and validation fall together",
            none,
            r -> {
              int n = steps(r);
              double[] v = Noise.lognormal(0.6).of(r, n);
              return new Series(r, n)
                  .set("task_type", "sd")
                  .set("total_steps", n)
                  .curve("Loss/train", i -> 0.12 * v[i - 1])
                  .measured("Loss/probe", n / 12, i -> 0.11 - 0.02 * Math.sqrt((double) i / n))
                  .measured("Loss/val", n / 12, i -> 0.112 - 0.015 * Math.sqrt((double) i / n))
                  .run();
            }),
        of(
            "spikes come more often, then it stays high",
            climbs,
            r ->
                shaped(
                    r,
                    900,
                    Noise.gaussian(0.1),
                    t -> t > 0.8 ? 3 : t > 0.4 && 40 * t % 4 < 4 * (t - 0.4) ? 2.5 : 1)),
        of(
            "climbs by steps",
            climbs,
            r ->
                shaped(
                    r,
                    900,
                    Noise.lognormal(0.2),
                    t -> 1 + 0.6 * Math.floor(4 * Math.max(0, t - 0.3)))),
        of(
            "up to guessing and there it stays",
            Set.of(Symptom.UNSTABLE),
            r -> {
              int n = steps(r);
              IntToDoubleFunction f = falls(r, n);
              int at = n / 3;
              return llm(r, n, i -> i < at ? f.applyAsDouble(i) : 11.5, Noise.gaussian(0.04))
                  .set("vocab_size", 49152)
                  .run();
            }),
        of(
            "a climb that ends in NaN",
            Set.of(Symptom.NOT_FINITE),
            r ->
                shaped(
                    r,
                    900,
                    Noise.gaussian(0.1),
                    t -> t > 0.97 ? Double.NaN : 1 + Math.max(0, 6 * (t - 0.8)))),
        of(
            "validation like a bowl",
            overfits,
            r -> validated(r, 14, 0.003, t -> 1.5 + 1.2 * Math.pow(t - 0.4, 2))),
        of(
            "validation rises in the last third",
            overfits,
            r -> {
              double rise = 0.08 + 0.12 * r.nextDouble();
              return validated(
                  r,
                  16,
                  0.004,
                  t -> (1.5 + 0.5 * Math.exp(-9 * t)) * (1 + 3 * rise * Math.max(0, t - 0.67)));
            }),
        of(
            "validation rises from the first",
            overfits,
            r -> validated(r, 9, 0.006, t -> 1.9 * (1 + 0.3 * t))),
        of(
            "a random base, vocabulary known",
            Set.of(Symptom.UNTRAINED_BASE),
            r -> {
              int n = steps(r);
              return llm(
                      r, n, i -> 10.37 - 2.5 * (1 - Math.exp(-2.0 * i / n)), Noise.gaussian(0.02))
                  .set("vocab_size", 32000)
                  .run();
            }),
        of(
            "high and still",
            Set.of(Symptom.NO_DESCENT),
            r -> {
              int n = steps(r);
              return llm(r, n, i -> 6.4, Noise.gaussian(0.06)).set("vocab_size", 49152).run();
            }),
        of(
            "captions that do not belong",
            Set.of(Symptom.UNRELATED_DATA),
            r -> {
              int n = steps(r);
              double[] v = Noise.lognormal(0.6).of(r, n);
              IntToDoubleFunction p = i -> 0.11 - 0.02 * Math.sqrt((double) i / n);
              return new Series(r, n)
                  .set("task_type", "sd")
                  .set("total_steps", n)
                  .curve("Loss/train", i -> 0.12 * v[i - 1])
                  .measured("Loss/probe", n / 12, p)
                  .measured(
                      "Loss/swapped",
                      n / 12,
                      i -> p.applyAsDouble(i) * (1 + 3e-4 * r.nextGaussian()))
                  .run();
            }),
        of(
            "by heart, without validation",
            Set.of(Symptom.MEMORIZED),
            r -> {
              int n = steps(r);
              return llm(r, n, i -> 2 * Math.exp(-14.0 * i / n) + 0.02, Noise.lognormal(0.5)).run();
            }),
        of(
            "a rate of zero",
            Set.of(Symptom.SCHEDULE),
            r -> {
              int n = steps(r);
              return llm(r, n, i -> 2, Noise.lognormal(0.3)).curve("lr", i -> 0).run();
            }));
  }
}
