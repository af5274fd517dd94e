package org.loranative.diagnose;

import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.loranative.diagnose.Series.Noise;

/** How runs go, healthy or not: what {@link Drawn} draws its curves by. */
final class DrawnRuns {
  private DrawnRuns() {}

  /** How a language model's run goes. */
  static final class Llm {
    final Series s;
    final double start;
    final double end;
    final double pace;
    IntToDoubleFunction level;

    Llm(Random r, int shortest) {
      s = new Series(r, shortest + r.nextInt(400));
      start = s.between(1.2, 4.5);
      end = start * s.between(0.35, 0.85);
      pace = s.n * s.between(0.05, 0.3);
      level = Series.falls(start, end, pace);
      s.set("task_type", "llm")
          .set("total_steps", s.n)
          .set("shuffle", true)
          .set("learning_rate", 2e-4);
    }

    Llm(Random r) {
      this(r, 60);
    }

    Llm train(Noise noise) {
      double[] v = noise.of(s.r, s.n);
      s.curve("Loss/train", i -> level.applyAsDouble(i) * v[i - 1]);
      return this;
    }

    /** Measured now and then, with so much jitter. */
    Llm validation(double jitter, IntToDoubleFunction of) {
      int every = Math.max(1, s.n / (5 + s.r.nextInt(15)));
      s.measured("Loss/val", every, i -> of.applyAsDouble(i) * (1 + jitter * s.r.nextGaussian()));
      return this;
    }

    Llm validation() {
      double above = s.between(1.0, 1.15);
      return validation(0.002, i -> above * level.applyAsDouble(i));
    }

    RunCurves run() {
      return s.run();
    }

    int turn() {
      return s.n / 4 + s.r.nextInt(s.n / 3);
    }
  }

  static Llm llm(Random r) {
    return new Llm(r);
  }

  /** A run of ours of a diffusion model. */
  static Series images(
      Random r, double fall, IntToDoubleFunction training, IntToDoubleFunction held) {
    Series s = new Series(r, 80 + r.nextInt(500));
    double start = s.between(0.05, 0.25);
    double[] noise = Noise.lognormal(s.between(0.25, 0.6)).of(r, s.n);
    double pace = s.n * s.between(0.1, 0.4);
    IntToDoubleFunction level = Series.falls(start, start * (1 - fall), pace);
    int every = Math.max(1, s.n / (8 + r.nextInt(12)));
    double above = s.between(0.9, 1.3);
    return s.set("task_type", "sd")
        .set("total_steps", s.n)
        .set("shuffle", true)
        .set("learning_rate", 1e-4)
        .curve(
            "Loss/train",
            i -> level.applyAsDouble(i) * training.applyAsDouble(i * 1000 / s.n) * noise[i - 1])
        .measured(
            "Loss/probe",
            every,
            i ->
                level.applyAsDouble(i)
                    * training.applyAsDouble(i * 1000 / s.n)
                    * (1 + 0.001 * r.nextGaussian()))
        .measured(
            "Loss/val",
            every,
            i ->
                above
                    * (start + (level.applyAsDouble(i) - start) * 0.7)
                    * held.applyAsDouble(i * 1000 / s.n)
                    * (1 + 0.002 * r.nextGaussian()));
  }

  /** kohya's scripts: nothing but the loss of each step. */
  static Series kohya(Random r, double start, double fall, Noise noise) {
    Series s = new Series(r, 200 + r.nextInt(1500));
    double[] v = noise.of(r, s.n);
    IntToDoubleFunction level = Series.falls(start, start * (1 - fall), s.n * 0.3);
    return s.curve("loss/current", i -> level.applyAsDouble(i) * v[i - 1])
        .curve("lr/unet", i -> 1e-4);
  }

  static RunCurves foreign(RunCurves c, String from, String to) {
    java.util.Map<String, Curve> scalars = new java.util.HashMap<>(c.scalars());
    Curve moved = scalars.remove(from);
    if (moved != null) {
      scalars.put(to, moved);
    }
    return new RunCurves(scalars, java.util.Map.of());
  }

  static RunCurves climbing(Random r, Noise noise, boolean validated, double least) {
    Llm l = llm(r);
    int turn = l.turn();
    double times = l.s.between(least, 4);
    IntToDoubleFunction level = l.level;
    l.level =
        i ->
            level.applyAsDouble(i) * (i > turn ? 1 + (times - 1) * (i - turn) / (l.s.n - turn) : 1);
    l.train(noise);
    return (validated ? l.validation() : l).run();
  }

  static RunCurves overfitting(Random r, double least, double most, int evaluations) {
    Llm l = llm(r);
    int turn = l.turn();
    double rise = l.s.between(least, most);
    l.train(Noise.gaussian(0.1));
    IntToDoubleFunction held =
        i ->
            l.level.applyAsDouble(Math.min(i, turn))
                * (1.1 + (i > turn ? rise * (i - turn) / (l.s.n - turn) : 0));
    if (evaluations > 0) {
      int best = r.nextInt(evaluations - 1);
      int every = l.s.n / evaluations;
      l.s.curve(
          "Loss/val",
          every,
          i -> {
            int k = i / every - 1;
            return 2
                * (k <= best ? 1 + 0.03 * (best - k) : 1 + rise * (k - best))
                * (1 + 0.003 * r.nextGaussian());
          });
      return l.run();
    }
    return l.validation(0.004, held).run();
  }
}
