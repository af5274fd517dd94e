package org.loranative.diagnose;

import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import org.loranative.diagnose.Finding.Symptom;
import org.loranative.diagnose.Series.Noise;

/** Kinds of curves of other shapes, by which no number in the doctor was chosen. */
final class Unseen {
  private Unseen() {}

  private static Series ours(Random r, IntToDoubleFunction level, Noise noise, int n) {
    Series s = new Series(r, n);
    double[] v = noise.of(r, n);
    return s.set("task_type", "llm")
        .set("total_steps", n)
        .set("shuffle", true)
        .set("learning_rate", 1.5e-4)
        .curve("Loss/train", i -> level.applyAsDouble(i) * v[i - 1]);
  }

  private static int steps(Random r) {
    return 90 + r.nextInt(700);
  }

  /** A power law, as long runs have. */
  private static IntToDoubleFunction power(Random r, int n) {
    double end = 0.6 + 1.6 * r.nextDouble();
    double rest = 0.5 + 2 * r.nextDouble();
    double power = 0.3 + 0.5 * r.nextDouble();
    return i -> end + rest * Math.pow(1 + 20.0 * i / n, -power);
  }

  private static Drawn of(
      String name, Set<Symptom> expected, java.util.function.Function<Random, RunCurves> draw) {
    return new Drawn(name, expected, draw);
  }

  private static RunCurves foreign(Random r, String tag, double level, double fall, Noise noise) {
    Series s = new Series(r, 150 + r.nextInt(2000));
    double[] v = noise.of(r, s.n);
    return s.curve(tag, i -> level * (1 - fall * Math.sqrt((double) i / s.n)) * v[i - 1]).run();
  }

  private static RunCurves validated(
      Random r, Noise noise, IntToDoubleFunction held, int evaluations, double jitter) {
    int n = steps(r);
    Series s = ours(r, power(r, n), noise, n);
    return s.measured(
            "Loss/val",
            Math.max(1, n / evaluations),
            i -> held.applyAsDouble(1000 * i / n) * (1 + jitter * r.nextGaussian()))
        .run();
  }

  static List<Drawn> all() {
    Set<Symptom> none = Set.of();
    Set<Symptom> climbs = Set.of(Symptom.CLIMB, Symptom.UNSTABLE);
    return List.of(
        of(
            "power law",
            none,
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.gaussian(0.1), n).run();
            }),
        of(
            "power law, 8 % three times as hard",
            none,
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.heavy(0.1).hard(0.08, 3), n).run();
            }),
        of(
            "power law, 35 % hard",
            none,
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.gaussian(0.1).hard(0.35, 1.8), n).run();
            }),
        of(
            "autocorrelation 0.8, lognormal",
            none,
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.alike(0.8, 0.25), n).run();
            }),
        of(
            "autocorrelation 0.95",
            none,
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.alike(0.95, 0.08), n).run();
            }),
        of(
            "a wave of sources",
            none,
            r -> {
              int n = steps(r);
              IntToDoubleFunction p = power(r, n);
              double period = 40 + r.nextInt(100);
              return ours(
                      r,
                      i -> p.applyAsDouble(i) * (1 + 0.15 * Math.sin(6.28 * i / period)),
                      Noise.gaussian(0.08),
                      n)
                  .set("shuffle", false)
                  .run();
            }),
        of(
            "two spikes",
            none,
            r -> {
              int n = steps(r);
              IntToDoubleFunction p = power(r, n);
              int a = n / 4 + r.nextInt(n / 4);
              return ours(
                      r,
                      i ->
                          p.applyAsDouble(i)
                              * (i >= a && i < a + 12 ? 3 : i >= a + 60 && i < a + 66 ? 2.5 : 1),
                      Noise.gaussian(0.07),
                      n)
                  .run();
            }),
        of(
            "linear descent",
            none,
            r -> {
              int n = steps(r);
              double fall = 0.15 + 0.5 * r.nextDouble();
              return ours(r, i -> 2.4 * (1 - fall * i / n), Noise.lognormal(0.4), n).run();
            }),
        of(
            "validation falls in two stages",
            none,
            r ->
                validated(
                    r,
                    Noise.gaussian(0.1),
                    i ->
                        2.2
                            - 0.3 * (1 - Math.exp(-i / 60.0))
                            - 0.25 / (1 + Math.exp(-(i - 600) / 60.0)),
                    16,
                    0.003)),
        of(
            "validation wobbles by 1 %",
            none,
            r ->
                validated(
                    r, Noise.lognormal(0.5), i -> 1.6 + 0.7 * Math.exp(-i / 150.0), 20, 0.01)),
        of(
            "validation wobbles by 4 %",
            none,
            r ->
                validated(r, Noise.gaussian(0.2), i -> 1.6 + 0.7 * Math.exp(-i / 150.0), 12, 0.04)),
        of(
            "validation drifts up by half a percent",
            none,
            r ->
                validated(
                    r,
                    Noise.gaussian(0.1),
                    i -> 1.6 + 0.7 * Math.exp(-i / 100.0) + 0.008 * i / 1000,
                    12,
                    0.001)),
        of(
            "preference loss",
            none,
            r -> {
              int n = steps(r);
              return ours(
                      r, i -> 0.69 - 0.35 * (1 - Math.exp(-4.0 * i / n)), Noise.lognormal(0.25), n)
                  .run();
            }),
        of("OneTrainer", none, r -> foreign(r, "loss/train_step", 0.14, 0.1, Noise.lognormal(0.7))),
        of("ai-toolkit, flow", none, r -> foreign(r, "loss", 0.45, 0.1, Noise.lognormal(0.6))),
        of(
            "diffusion-pipe",
            none,
            r -> foreign(r, "train/loss", 0.2, 0.05, Noise.lognormal(0.4).hard(0.1, 1.8))),
        of(
            "video, flow, high",
            none,
            r -> foreign(r, "loss/current", 0.9, 0.1, Noise.lognormal(0.5))),
        of(
            "Trainer without validation",
            none,
            r -> foreign(r, "train/loss", 2.0, 0.35, Noise.lognormal(0.3))),
        of(
            "Trainer, sources in blocks",
            none,
            r -> foreign(r, "train/loss", 2.0, 0.3, Noise.gaussian(0.12).blocks(0.2))),
        of(
            "a rate that rises late",
            none,
            r -> {
              int n = steps(r);
              IntToDoubleFunction p = power(r, n);
              return ours(r, p, Noise.gaussian(0.1), n)
                  .curve("lr", i -> 1e-4 * (i < n / 10 ? 10.0 * i / n : 1))
                  .run();
            }),
        of(
            "jumps up and stays, 2.5 times",
            climbs,
            r -> {
              int n = steps(r) + 60;
              IntToDoubleFunction p = power(r, n);
              int at = n / 2;
              return ours(r, i -> p.applyAsDouble(i) * (i > at ? 2.5 : 1), Noise.lognormal(0.25), n)
                  .run();
            }),
        of(
            "exponential climb",
            climbs,
            r -> {
              int n = steps(r) + 60;
              IntToDoubleFunction p = power(r, n);
              return ours(
                      r,
                      i -> p.applyAsDouble(i) * Math.exp(Math.max(0, 2.2 * (i - 0.5 * n) / n)),
                      Noise.gaussian(0.12).hard(0.1, 2.2),
                      n)
                  .run();
            }),
        of(
            "a slow climb by half",
            climbs,
            r -> {
              int n = 400 + r.nextInt(600);
              IntToDoubleFunction p = power(r, n);
              return ours(
                      r,
                      i -> p.applyAsDouble(i) * (1 + Math.max(0, 1.2 * (i - 0.55 * n) / n)),
                      Noise.gaussian(0.1),
                      n)
                  .run();
            }),
        of(
            "both losses climb",
            climbs,
            r -> {
              int n = steps(r);
              IntToDoubleFunction p = power(r, n);
              IntToDoubleFunction q =
                  i -> p.applyAsDouble(i) * (1 + Math.max(0, 1.5 * (i - 0.5 * n) / n));
              return ours(r, q, Noise.lognormal(0.4), n)
                  .measured("Loss/val", n / 14, i -> 1.05 * q.applyAsDouble(i))
                  .run();
            }),
        of(
            "diverges within 30 steps",
            Set.of(Symptom.UNSTABLE),
            r -> {
              int n = steps(r);
              double high = 13 + 20 * r.nextDouble();
              return ours(r, i -> i < 12 ? 2.5 : i < 40 ? high : 7, Noise.gaussian(0.1), n).run();
            }),
        of(
            "overfitting, slow, by 4 to 10 %",
            Set.of(Symptom.OVERFITTING),
            r -> {
              double rise = 0.04 + 0.06 * r.nextDouble();
              return validated(
                  r,
                  Noise.gaussian(0.1),
                  i ->
                      i < 400
                          ? 1.6 + 0.6 * Math.exp(-i / 90.0)
                          : 1.6 * (1 + rise * (i - 400) / 600),
                  20,
                  0.002);
            }),
        of(
            "overfitting at once",
            Set.of(Symptom.OVERFITTING),
            r ->
                validated(
                    r, Noise.gaussian(0.1), i -> 2 + 0.8 * Math.pow(i / 1000.0, 0.6), 10, 0.004)),
        of(
            "overfitting, noisy",
            Set.of(Symptom.OVERFITTING),
            r ->
                validated(
                    r,
                    Noise.gaussian(0.1),
                    i -> i < 300 ? 1.8 - 0.001 * i : 1.5 + 0.0008 * (i - 300),
                    15,
                    0.015)),
        of(
            "nothing moves",
            Set.of(Symptom.FLAT),
            r -> validated(r, Noise.lognormal(0.3), i -> 1.9, 10, 0.0001)),
        of(
            "a random base, vocabulary not known",
            Set.of(Symptom.UNTRAINED_BASE),
            r -> {
              int n = steps(r);
              return ours(r, i -> 7 + 4 * Math.exp(-5.0 * i / n), Noise.gaussian(0.03), n).run();
            }),
        of(
            "by heart within two epochs",
            Set.of(Symptom.MEMORIZED),
            r -> {
              int n = steps(r);
              return ours(r, i -> 2.5 * Math.exp(-30.0 * i / n) + 0.01, Noise.lognormal(0.8), n)
                  .run();
            }),
        of(
            "validation leaks",
            Set.of(Symptom.VALIDATION_LEAK),
            r -> {
              int n = steps(r);
              IntToDoubleFunction p = i -> 2.5 * Math.exp(-20.0 * i / n) + 0.01;
              return ours(r, p, Noise.lognormal(0.6), n).measured("Loss/val", n / 12, p).run();
            }),
        of(
            "gradients jump",
            Set.of(Symptom.EXPLODING_GRADIENTS),
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.gaussian(0.1), n)
                  .curve(
                      "grad_norm",
                      i ->
                          Math.exp(0.3 * r.nextGaussian())
                              * (i > n / 2 && r.nextInt(6) == 0 ? 40 : 1))
                  .run();
            }),
        of(
            "infinite gradient",
            Set.of(Symptom.NOT_FINITE),
            r -> {
              int n = steps(r);
              return ours(r, power(r, n), Noise.gaussian(0.1), n)
                  .curve("grad_norm", i -> i == n / 2 ? Double.POSITIVE_INFINITY : 1)
                  .run();
            }));
  }
}
