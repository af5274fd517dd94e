package org.loranative.train.tuning;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.loranative.diagnose.Curve;
import org.loranative.diagnose.Paired;
import org.loranative.diagnose.RunCurves;
import org.loranative.optim.Schedule;
import org.loranative.track.MeasuredRecords;

/**
 * One short run whose learning rate rises from far too low to far too high (Smith 2017, "Cyclical
 * Learning Rates for Training Neural Networks"). The same few training records are measured on the
 * way; the loss is lowest at the last rate that still does good.
 *
 * @param usual learning rate of the optimizer
 */
record RangeTest(double usual) {
  static final int STEPS = 48;
  private static final int EVERY = 4;

  /** The rates end so many times above the usual one, and begin as far below. */
  private static final double FAR = Math.sqrt(Schedule.RANGE);

  /** From one rate that is tried to the next. */
  static final double STEP = 3;

  /** The ramp leaves a rate before it can do harm, so what a whole run bears is lower. */
  private static final double[] BELOW = {STEP, 10};

  /**
   * What the ramp showed.
   *
   * @param rates to try, the most promising first
   * @param untried what to take where there is no time to try any; empty where nothing was learnt
   * @param words for people
   */
  record Outcome(List<Double> rates, Optional<Double> untried, String words) {}

  List<String> settings() {
    return List.of(
        "learning_rate=" + Candidate.number(usual * FAR),
        "lr_schedule=range_test",
        "warmup_steps=0",
        "max_steps=" + STEPS,
        "eval_steps=" + EVERY,
        "validation_path=",
        "validation_fraction=0");
  }

  /** The rate of a step. */
  private double rate(long step) {
    return new Schedule.Curve(Schedule.RANGE_TEST, usual * FAR, 0, STEPS, 1, 1).at((int) step);
  }

  Outcome read(RunCurves run) {
    Curve probe = run.probe().finite();
    int lowest = probe.size() == 0 ? 0 : probe.lowest();
    Optional<Paired> fell =
        lowest == 0
            ? Optional.empty()
            : Paired.of(
                MeasuredRecords.at(run.records(), "probe", probe.steps()[0]),
                MeasuredRecords.at(run.records(), "probe", probe.steps()[lowest]));
    boolean descends = lowest > 0 && fell.map(p -> p.isSure() && p.fell() > 0).orElse(true);
    if (!descends) {
      return new Outcome(
          List.of(usual, Candidate.rounded(usual / 3)),
          Optional.empty(),
          String.format(
              "no rate from %s to %s lowered the loss on training records for sure; the usual %s"
                  + " is tried",
              Candidate.number(rate(1)), Candidate.number(usual * FAR), Candidate.number(usual)));
    }
    double best = rate(probe.steps()[lowest]);
    List<Double> rates = Arrays.stream(BELOW).mapToObj(b -> Candidate.rounded(best / b)).toList();
    boolean turned = lowest < probe.size() - 1;
    return new Outcome(
        rates,
        Optional.of(rates.get(rates.size() - 1)),
        String.format(
            "the loss on training records fell from %.4g to %.4g until the rate was %s%s; %s and %s"
                + " are tried",
            probe.first(),
            probe.values()[lowest],
            Candidate.number(Candidate.rounded(best)),
            turned ? " and rose behind it" : ", the highest of the test",
            Candidate.number(rates.get(0)),
            Candidate.number(rates.get(1))));
  }
}
