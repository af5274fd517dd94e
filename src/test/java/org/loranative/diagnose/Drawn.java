package org.loranative.diagnose;

import static org.loranative.diagnose.DrawnRuns.climbing;
import static org.loranative.diagnose.DrawnRuns.foreign;
import static org.loranative.diagnose.DrawnRuns.images;
import static org.loranative.diagnose.DrawnRuns.kohya;
import static org.loranative.diagnose.DrawnRuns.llm;
import static org.loranative.diagnose.DrawnRuns.overfitting;
import static org.loranative.diagnose.Finding.Symptom.CLIMB;
import static org.loranative.diagnose.Finding.Symptom.DEAD_ADAPTERS;
import static org.loranative.diagnose.Finding.Symptom.EXPLODING_GRADIENTS;
import static org.loranative.diagnose.Finding.Symptom.FEW_LABELS;
import static org.loranative.diagnose.Finding.Symptom.FLAT;
import static org.loranative.diagnose.Finding.Symptom.MEMORIZED;
import static org.loranative.diagnose.Finding.Symptom.NOT_FINITE;
import static org.loranative.diagnose.Finding.Symptom.NO_DESCENT;
import static org.loranative.diagnose.Finding.Symptom.NO_LABELS;
import static org.loranative.diagnose.Finding.Symptom.OVERFITTING;
import static org.loranative.diagnose.Finding.Symptom.SCHEDULE;
import static org.loranative.diagnose.Finding.Symptom.THROUGHPUT_DROP;
import static org.loranative.diagnose.Finding.Symptom.UNRELATED_DATA;
import static org.loranative.diagnose.Finding.Symptom.UNSTABLE;
import static org.loranative.diagnose.Finding.Symptom.UNTRAINED_BASE;
import static org.loranative.diagnose.Finding.Symptom.VALIDATION_LEAK;
import static org.loranative.diagnose.Finding.Symptom.VANISHING_UPDATES;

import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import org.loranative.diagnose.Series.Noise;

/**
 * Kinds of curves that are drawn at random, of which it is known what is wrong with them.
 *
 * @param expected findings of which one must be said; none for a healthy run
 */
record Drawn(String name, Set<Finding.Symptom> expected, Function<Random, RunCurves> draw) {

  boolean isHealthy() {
    return expected.isEmpty();
  }

  /** Whether what was found is right: of a healthy run nothing that warns. */
  boolean isMetBy(List<Finding> findings) {
    return isHealthy()
        ? findings.stream()
            .allMatch(f -> f.symptom().severity.compareTo(Finding.Severity.NOTE) <= 0)
        : findings.stream().anyMatch(f -> expected.contains(f.symptom()));
  }

  private static Drawn healthy(String name, Function<Random, RunCurves> draw) {
    return new Drawn(name, Set.of(), draw);
  }

  private static Drawn faulty(
      String name, Set<Finding.Symptom> expected, Function<Random, RunCurves> draw) {
    return new Drawn(name, expected, draw);
  }

  static List<Drawn> tuned() {
    return java.util.stream.Stream.concat(healthyOnes().stream(), faultyOnes().stream()).toList();
  }

  private static List<Drawn> healthyOnes() {
    return List.of(
        healthy("llm, even noise", r -> llm(r).train(Noise.gaussian(0.08)).validation().run()),
        healthy("5 % of steps hard", r -> llm(r).train(Noise.gaussian(0.05).hard(0.05, 2.2)).run()),
        healthy(
            "12 % of steps hard",
            r -> llm(r).train(Noise.gaussian(0.08).hard(0.12, 2.2)).validation().run()),
        healthy(
            "25 % of steps hard", r -> llm(r).train(Noise.gaussian(0.08).hard(0.25, 2.2)).run()),
        healthy("autocorrelation 0.9", r -> llm(r).train(Noise.alike(0.9, 0.12)).run()),
        healthy(
            "autocorrelation 0.9, hard steps",
            r -> llm(r).train(Noise.alike(0.9, 0.1).hard(0.1, 2.2)).validation().run()),
        healthy("autocorrelation 0.6", r -> llm(r).train(Noise.alike(0.6, 0.2)).run()),
        healthy(
            "blocks, validated",
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.s.set("shuffle", false);
              return l.train(Noise.gaussian(0.1).blocks(0.25)).validation().run();
            }),
        healthy(
            "blocks",
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.s.set("shuffle", false);
              return l.train(Noise.gaussian(0.1).blocks(0.2)).run();
            }),
        healthy(
            "one spike",
            r -> {
              DrawnRuns.Llm l = llm(r);
              int at = l.turn();
              double high = l.s.between(1.5, 4);
              IntToDoubleFunction level = l.level;
              l.level =
                  i ->
                      level.applyAsDouble(i)
                          * (i >= at && i < at + 20
                              ? 1 + (high - 1) * Math.exp(-(i - at) / 6.0)
                              : 1);
              l.train(Noise.gaussian(0.06));
              l.level = level;
              return l.validation().run();
            }),
        healthy("heavy tails", r -> llm(r).train(Noise.heavy(0.15)).run()),
        healthy(
            "batch of one", r -> llm(r).train(Noise.lognormal(r.nextDouble() * 0.4 + 0.3)).run()),
        healthy(
            "batch of one, validated", r -> llm(r).train(Noise.lognormal(0.6)).validation().run()),
        healthy(
            "a base that nearly knows",
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.level = Series.falls(l.start, l.start * l.s.between(0.9, 0.97), l.pace);
              return l.train(Noise.gaussian(0.1)).validation().run();
            }),
        healthy(
            "learns at once",
            r -> {
              DrawnRuns.Llm l = new DrawnRuns.Llm(r, 150);
              l.level = Series.falls(l.start, l.end, 5);
              l.train(Noise.gaussian(0.1))
                  .s
                  .curve(
                      "Loss/val",
                      l.s.n / 12,
                      i -> l.level.applyAsDouble(i) * (1 + 0.004 * r.nextGaussian()));
              return l.run();
            }),
        healthy(
            "a long warmup",
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.level =
                  i ->
                      l.start
                          - (l.start - l.end) / (1 + Math.exp(-(i - 0.4 * l.s.n) / (0.08 * l.s.n)));
              return l.train(Noise.gaussian(0.1)).validation().run();
            }),
        healthy(
            "epochs",
            r -> {
              DrawnRuns.Llm l = llm(r);
              IntToDoubleFunction level = l.level;
              l.level =
                  i -> level.applyAsDouble(i) * (i > 2 * l.s.n / 3 ? 0.8 : i > l.s.n / 3 ? 0.9 : 1);
              l.train(Noise.gaussian(0.12));
              l.level = level;
              return l.validation().run();
            }),
        healthy(
            "noisy validation",
            r -> {
              DrawnRuns.Llm l = llm(r);
              return l.train(Noise.gaussian(0.15)).validation(0.025, l.level).run();
            }),
        healthy(
            "warm restarts",
            r -> {
              DrawnRuns.Llm l = llm(r);
              IntToDoubleFunction level = l.level;
              l.level =
                  i -> level.applyAsDouble(i) * (1 + 0.05 * ((4 * i) % l.s.n < l.s.n / 2 ? 1 : 0));
              return l.train(Noise.gaussian(0.08)).run();
            }),
        healthy(
            "means of 10 to 50 steps",
            r -> {
              DrawnRuns.Llm l = new DrawnRuns.Llm(r, 600);
              int of = 10 + r.nextInt(40);
              RunCurves c =
                  l.train(Noise.lognormal(0.4))
                      .validation(0.003, l.level)
                      .s
                      .means("train/loss", "Loss/train", of)
                      .run();
              return foreign(c, "Loss/val", "eval/loss");
            }),
        healthy(
            "five to eighteen means",
            r -> {
              DrawnRuns.Llm l = new DrawnRuns.Llm(r, 3000);
              int k = 5 + r.nextInt(14);
              RunCurves c =
                  l.train(Noise.lognormal(0.5))
                      .s
                      .means("train/loss", "Loss/train", l.s.n / k)
                      .run();
              return foreign(c, "train/epoch", "train/epoch");
            }),
        healthy("images", r -> images(r, 0.1 + 0.4 * r.nextDouble(), i -> 1, i -> 1).run()),
        healthy(
            "images, little to learn",
            r -> images(r, 0.03 + 0.05 * r.nextDouble(), i -> 1, i -> 1).run()),
        healthy("kohya", r -> kohya(r, 0.12, 0.1, Noise.lognormal(0.6)).run()),
        healthy(
            "kohya, hard steps",
            r -> kohya(r, 0.1, 0.2, Noise.lognormal(0.4).hard(0.1, 2.2)).run()),
        healthy(
            "kohya's moving average",
            r ->
                kohya(r, 0.12, 0.15, Noise.lognormal(0.6))
                    .average("loss/average", "loss/current", 50)
                    .run()),
        healthy("flow matching", r -> kohya(r, 0.55, 0.08, Noise.lognormal(0.5)).run()),
        healthy(
            "dreambooth's loss",
            r -> {
              Series s =
                  kohya(r, 0.15, 0.1, Noise.lognormal(0.7)).average("loss", "loss/current", 1);
              RunCurves c = s.run();
              return new RunCurves(
                  java.util.Map.of("loss", c.scalars().get("loss")), java.util.Map.of());
            }));
  }

  private static List<Drawn> faultyOnes() {
    Set<Finding.Symptom> climbs = Set.of(CLIMB, UNSTABLE);
    return List.of(
        faulty("climbs", climbs, r -> climbing(r, Noise.gaussian(0.08), true, 1.6)),
        faulty(
            "climbs, hard steps",
            climbs,
            r -> climbing(r, Noise.gaussian(0.08).hard(0.12, 2.2), false, 1.8)),
        faulty(
            "climbs, autocorrelation 0.9",
            climbs,
            r -> climbing(r, Noise.alike(0.9, 0.1), true, 2)),
        faulty("climbs, batch of one", climbs, r -> climbing(r, Noise.lognormal(0.5), true, 1.8)),
        faulty(
            "rate far too high",
            Set.of(UNSTABLE),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.level = i -> i == 1 ? l.start : 6.5 + l.s.n * 1.5 / (i + 0.1 * l.s.n);
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "images, rate far too high",
            Set.of(UNSTABLE),
            r -> {
              Series s = images(r, 0, i -> 1, i -> 1);
              double[] v = Noise.gaussian(0.03).of(r, s.n);
              return s.curve("Loss/train", i -> i < 3 ? 0.1 : v[i - 1])
                  .measured("Loss/probe", s.n / 8, i -> i == 0 ? 0.11 : 1.02)
                  .measured("Loss/val", s.n / 8, i -> i == 0 ? 0.12 : 1.03)
                  .run();
            }),
        faulty(
            "images, the probe climbs",
            climbs,
            r -> {
              double rise = 0.2 + r.nextDouble();
              return images(
                      r,
                      0.2,
                      i -> i > 400 ? 1 + rise * (i - 400) / 600 : 1,
                      i -> i > 400 ? 1 + rise * (i - 400) / 600 : 1)
                  .run();
            }),
        faulty(
            "NaN",
            Set.of(NOT_FINITE),
            r -> {
              DrawnRuns.Llm l = llm(r);
              IntToDoubleFunction level = l.level;
              int at = l.turn();
              l.level = i -> i > at ? Double.NaN : level.applyAsDouble(i);
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "flat, validated",
            Set.of(FLAT),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.level = i -> l.start;
              return l.train(Noise.gaussian(0.1).hard(0.1, 2.2)).validation(0.0003, l.level).run();
            }),
        faulty(
            "flat",
            Set.of(FLAT),
            r -> {
              DrawnRuns.Llm l = new DrawnRuns.Llm(r, 300);
              l.level = i -> l.start;
              l.s.set("learning_rate", 1e-8);
              return l.train(Noise.gaussian(0.05)).run();
            }),
        faulty("images, flat", Set.of(FLAT), r -> images(r, 0.001, i -> 1, i -> 1).run()),
        faulty(
            "images, rate too low",
            Set.of(FLAT),
            r ->
                images(r, 0.004 + 0.012 * r.nextDouble(), i -> 1, i -> 1)
                    .set("learning_rate", 1e-5)
                    .run()),
        faulty(
            "high and does not fall",
            Set.of(NO_DESCENT, UNTRAINED_BASE, FLAT),
            r -> {
              DrawnRuns.Llm l = llm(r);
              double high = l.s.between(6, 10);
              l.level = i -> high;
              return l.train(Noise.gaussian(0.05)).run();
            }),
        faulty("overfitting", Set.of(OVERFITTING), r -> overfitting(r, 0.1, 0.7, 0)),
        faulty(
            "overfitting, few evaluations",
            Set.of(OVERFITTING),
            r -> overfitting(r, 0.12, 0.4, 3 + r.nextInt(3))),
        faulty(
            "images, overfitting",
            Set.of(OVERFITTING),
            r -> {
              double rise = 0.15 + 0.2 * r.nextDouble();
              return images(
                      r,
                      0.5,
                      i -> 1,
                      i -> i > 300 ? 1.25 + rise * (i - 300) / 700 : 1 + 0.25 * i / 300)
                  .run();
            }),
        faulty(
            "images, validation left behind",
            Set.of(OVERFITTING),
            r -> {
              Series s = images(r, 0.35 + 0.25 * r.nextDouble(), i -> 1, i -> 1);
              double fall = 0.06 * r.nextDouble();
              return s.measured(
                      "Loss/val",
                      s.n / 12,
                      i -> 0.12 * (1 - fall * i / s.n) * (1 + 0.002 * r.nextGaussian()))
                  .run();
            }),
        faulty(
            "an untrained base",
            Set.of(UNTRAINED_BASE),
            r -> {
              DrawnRuns.Llm l = llm(r);
              int vocabulary = 32000 + r.nextInt(120000);
              l.level =
                  Series.falls(
                      Math.log(vocabulary) * l.s.between(1, 2), Math.log(vocabulary) * 0.7, l.pace);
              l.s.set("vocab_size", vocabulary);
              return l.train(Noise.gaussian(0.03)).validation().run();
            }),
        faulty(
            "learnt by heart",
            Set.of(MEMORIZED),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.level = Series.falls(l.start, 0.004, l.s.n * 0.1);
              return l.train(Noise.lognormal(0.5)).run();
            }),
        faulty(
            "validation leaks",
            Set.of(VALIDATION_LEAK),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.level = Series.falls(l.start, 0.005, l.s.n * 0.1);
              return l.train(Noise.lognormal(0.5)).validation(0.02, l.level).run();
            }),
        faulty(
            "answers shuffled",
            Set.of(UNRELATED_DATA),
            r -> {
              DrawnRuns.Llm l = llm(r);
              int every = l.s.n / 8;
              l.s
                  .measured("Loss/probe", every, i -> l.level.applyAsDouble(i))
                  .measured(
                      "Loss/swapped",
                      every,
                      i -> l.level.applyAsDouble(i) * (1 + 0.003 * r.nextGaussian()));
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "no labels",
            Set.of(NO_LABELS),
            r -> {
              DrawnRuns.Llm l = llm(r);
              return l.s.curve("Loss/train", i -> 0).curve("grad_norm", i -> 0).run();
            }),
        faulty(
            "empty answers",
            Set.of(FEW_LABELS),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.s.set("data/labelled_share", 0.025);
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "gradients explode",
            Set.of(EXPLODING_GRADIENTS),
            r -> {
              DrawnRuns.Llm l = llm(r);
              int turn = l.turn();
              l.s.curve(
                  "grad_norm",
                  i ->
                      (0.5 + 0.1 * r.nextDouble())
                          * (i > turn ? Math.exp(5.0 * (i - turn) / (l.s.n - turn)) : 1));
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "updates vanish",
            Set.of(VANISHING_UPDATES),
            r -> {
              DrawnRuns.Llm l = llm(r);
              int turn = l.turn();
              l.s.curve("grad_norm", i -> (0.5 + 0.1 * r.nextDouble()) * (i > turn ? 1e-6 : 1));
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "dead layers",
            Set.of(DEAD_ADAPTERS),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.s.curve("adapter/dead_layers", l.s.n / 6, i -> 3);
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "warmup never ends",
            Set.of(SCHEDULE),
            r -> {
              DrawnRuns.Llm l = llm(r);
              l.s.curve("lr", i -> 5e-4 * i / l.s.n);
              return l.train(Noise.gaussian(0.1)).run();
            }),
        faulty(
            "slower",
            Set.of(THROUGHPUT_DROP),
            r -> {
              DrawnRuns.Llm l = llm(r);
              int turn = l.turn();
              l.s.curve(
                  "perf/tokens_per_s",
                  i -> 1000 * (1 + 0.05 * r.nextGaussian()) * (i > turn ? 0.4 : 1));
              return l.train(Noise.gaussian(0.1)).run();
            }));
  }
}
