package org.loranative.diagnose;

import java.util.Arrays;
import java.util.Optional;

/**
 * A loss that climbs: above its start, or from its lowest level by more than chance explains; or
 * one that jumps ever and again.
 */
final class Unstable implements Check {
  private static final int FEWEST = 20;
  private static final int BLOCKS = 20;

  /** Standard errors that a climb must exceed: the lowest of many blocks is low by chance too. */
  private static final double SURE = 5.5;

  /** Share of the level that a climb must exceed to matter. */
  private static final double MATTERS = 0.08;

  /** Steps that show a level at once. */
  private static final int AT_ONCE = 5;

  /** Steps that are the start of a run. */
  private static final int EARLY = 60;

  private static final double JUMP = 8; // in standard deviations of the noise

  @Override
  public Optional<Finding> find(RunCurves run) {
    return aboveStart(run).or(() -> climb(run)).or(() -> probeClimb(run)).or(() -> jumps(run));
  }

  /** The first steps lead up, far beyond the loss of the untouched model: seen at once. */
  private static Optional<Finding> aboveStart(RunCurves run) {
    Curve loss = run.loss().finite();
    double[] v = loss.values();
    if (v.length < 2 * AT_ONCE) {
      return Optional.empty();
    }
    // A diffusion step's loss is mostly noise: a few of them make the start, and it takes more.
    double start = run.isDiffusion() ? Statistics.median(v, 0, AT_ONCE) : v[0];
    double factor = run.isDiffusion() ? 2.5 : 1.3;
    int end = Math.min(v.length, EARLY);
    double noise = Statistics.noise(Arrays.copyOf(v, end));
    double error = noise * Math.sqrt(1 + 1.6 / AT_ONCE); // of one step, and a median of some
    for (int i = 1; i + AT_ONCE <= end; i++) {
      double level = Statistics.median(v, i, i + AT_ONCE);
      if (level > factor * start && level > start + 4 * error) {
        return Optional.of(
            finding(
                loss.steps()[i],
                String.format("the loss climbs from %.4g at the start to %.4g", start, level),
                run));
      }
    }
    return Optional.empty();
  }

  private static Optional<Finding> climb(RunCurves run) {
    Curve loss = run.loss().finite();
    int n = loss.size();
    if (n < FEWEST) {
      return Optional.empty();
    }
    int blocks = Math.min(BLOCKS, n / 5);
    Curve means = loss.blocks(blocks);
    double[] m = means.values();
    double deviation = Math.max(Statistics.noise(loss.values()), spread(loss));
    double error = deviation * Math.sqrt(2.0 * blocks / n);
    int lowest = 0;
    for (int b = 1; b < blocks; b++) {
      // From the lowest level so far to the mean of two blocks, so that one bad block is none.
      double now = b + 1 < blocks ? (m[b] + m[b + 1]) / 2 : m[b];
      double rise = now - m[lowest];
      if (rise > SURE * error
          && rise > MATTERS * Math.abs(m[lowest])
          && stays(m, b, lowest, error)) {
        return Optional.of(
            finding(
                means.steps()[b],
                String.format(
                    "the loss climbs from %.4g at step %d to %.4g, %.0f standard errors",
                    m[lowest], means.steps()[lowest], now, rise / error),
                run));
      }
      lowest = m[b] < m[lowest] ? b : lowest;
    }
    return Optional.empty();
  }

  /** Spread about the blocks' own means, whichever is larger early or late. */
  private static double spread(Curve loss) {
    double[] v = loss.values();
    int half = v.length / 2;
    double early = Statistics.noise(Arrays.copyOfRange(v, 0, half));
    double late = Statistics.noise(Arrays.copyOfRange(v, half, v.length));
    return Math.min(early, late);
  }

  /** Whether the level keeps above the lowest for the next tenth of the run, as far as it goes. */
  private static boolean stays(double[] m, int from, int lowest, double error) {
    int to = Math.min(m.length, from + Math.max(2, m.length / 10));
    for (int b = from; b < to; b++) {
      if (m[b] - m[lowest] < 2 * error) {
        return false;
      }
    }
    return true;
  }

  /** The probe has hardly any noise: a tenth above its lowest is a climb. */
  private static Optional<Finding> probeClimb(RunCurves run) {
    Curve probe = run.probe().finite();
    int lowest = 0;
    for (int i = 1; i < probe.size(); i++) {
      double low = probe.values()[lowest];
      boolean again = i + 1 == probe.size() || probe.values()[i + 1] > low * 1.05;
      if (probe.values()[i] > low * 1.1 && again) {
        return Optional.of(
            finding(
                probe.steps()[i],
                String.format(
                    "the probe loss climbs from %.4g at step %d to %.4g",
                    low, probe.steps()[lowest], probe.values()[i]),
                run));
      }
      lowest = probe.values()[i] < low ? i : lowest;
    }
    return Optional.empty();
  }

  /** Points far above their neighbours, more than a few. Diffusion losses jump by nature. */
  private static Optional<Finding> jumps(RunCurves run) {
    Curve loss = run.loss().finite();
    int n = loss.size();
    if (n < FEWEST || run.isDiffusion()) {
      return Optional.empty();
    }
    double noise = Statistics.noise(loss.values());
    int count = 0;
    int firstAt = -1;
    for (int i = 3; i < n; i++) {
      // Above what was before as well as what comes after, so that a steep descent is none.
      double before = Statistics.median(loss.values(), Math.max(0, i - 5), i);
      double after = Statistics.median(loss.values(), Math.min(n - 1, i + 1), Math.min(n, i + 6));
      double level = Math.max(before, i + 1 < n ? after : before);
      double above = loss.values()[i] - level;
      // A quarter of the level, and not of one near zero.
      boolean high = above > JUMP * noise && above > level / 4 && above > loss.values()[0] / 10;
      if (high) {
        count++;
        firstAt = firstAt < 0 ? i : firstAt;
      }
    }
    return count >= Math.max(3, n / 50)
        ? Optional.of(
            finding(
                loss.steps()[firstAt],
                String.format(
                    "%d of %d steps lie more than a quarter above their neighbours", count, n),
                run))
        : Optional.empty();
  }

  private static Finding finding(long step, String evidence, RunCurves run) {
    return new Finding(
        Finding.Kind.UNSTABLE,
        step,
        evidence,
        "Set "
            + run.halvedRate()
            + ", a larger batch_size or gradient_accumulation, and some warmup_steps");
  }
}
