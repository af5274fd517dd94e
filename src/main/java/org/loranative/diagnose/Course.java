package org.loranative.diagnose;

/** How a loss goes with which nothing is wrong. */
final class Course {
  private static final int FEWEST = 20;

  /** Standard errors beyond which a difference is none of chance. */
  private static final double SURE = 3;

  /** Share of the whole descent that counts as none. */
  private static final double LITTLE = 0.05;

  /** Whether the first and the last third differ by no more than chance. */
  private static boolean isNoise(double[] v) {
    int third = v.length / 3;
    double difference =
        Statistics.mean(v, 0, third) - Statistics.mean(v, v.length - third, v.length);
    return Math.abs(difference) < SURE * Statistics.noise(v) * Math.sqrt(2.0 / third);
  }

  Finding of(RunCurves run) {
    Curve signal = run.signal();
    if (run.loss().finite().size() < FEWEST) {
      return new Finding(
          Finding.Kind.TOO_SHORT, 0, run.loss().size() + " steps", "Wait for at least " + FEWEST);
    }
    int blocks = Math.min(signal.size(), run.hasProbe() ? signal.size() : 20);
    Curve means = signal.blocks(blocks);
    double[] m = means.values();
    int third = Math.max(1, blocks / 3);
    double start = m[0];
    double end = Statistics.mean(m, blocks - Math.max(1, third / 2), blocks);
    double descent = start - end;
    if (run.isDiffusion() && !run.hasProbe() && isNoise(signal.values())) {
      return new Finding(
          Finding.Kind.TOO_SHORT,
          0,
          "the noise of " + signal.size() + " steps hides what the loss does",
          "Look at the probe loss once it was measured four times (eval_steps)");
    }
    double before = Statistics.mean(m, blocks - third, blocks - third + Math.max(1, third / 2));
    boolean still = before - end > LITTLE * descent && descent > 0;
    String fell =
        String.format(
            "the %s fell from %.4g to %.4g", run.hasProbe() ? "probe loss" : "loss", start, end);
    if (still) {
      return new Finding(
          Finding.Kind.DESCENT,
          means.steps()[0],
          fell + " and still falls",
          "More epochs would lower it further");
    }
    int reached = 0;
    while (reached < blocks - 1 && m[reached] - end > LITTLE * descent) {
      reached++;
    }
    return new Finding(
        Finding.Kind.PLATEAU,
        means.steps()[reached],
        fell + ", most of it by step " + means.steps()[reached],
        String.format(
            "Nothing to change; further runs could stop at about step %d", means.steps()[reached]));
  }
}
