package org.loranative.diagnose;

import java.util.Optional;
import org.loranative.track.DataFacts;

/**
 * A language model whose loss is next to nothing: it knows the answers by heart. Where validation
 * is as low, its records are trained on too.
 */
final class Memorized implements Check {
  private static final int FEWEST = 20;

  /** A loss at which a token's mean probability is 95 %. */
  private static final double KNOWN = 0.05;

  private static final double SHARE = 0.03;

  /** As often seen, a record is known by heart sooner or later. */
  private static final double MANY_TIMES = 25;

  @Override
  public Optional<Finding> find(RunCurves run) {
    return leak(run).or(() -> byHeart(run));
  }

  private static Optional<Finding> leak(RunCurves run) {
    double near = run.number(DataFacts.NEAR_VALIDATION_LEAK).orElse(0);
    double shared = run.number(DataFacts.VALIDATION_LEAK).orElse(0) + near;
    double of = run.number(DataFacts.VALIDATION_RECORDS).orElse(0);
    if (shared > 0 && (of == 0 || shared > 0.02 * of)) {
      return Optional.of(
          leaking(
              0,
              String.format(
                  "%.0f%s validation records are trained on too%s",
                  shared,
                  of > 0 ? String.format(" of %.0f", of) : "",
                  near > 0 ? String.format(", %.0f of them %s", near, run.nearly()) : "")));
    }
    Curve validation = run.validation().finite();
    if (run.isDiffusion() || validation.size() < 3 || run.loss().finite().isEmpty()) {
      return Optional.empty();
    }
    double start = Math.max(validation.first(), run.loss().first());
    boolean known = validation.last() < KNOWN && validation.last() < SHARE * start;
    if (!known || !isKnown(run) || validation.last() > 3 * ending(run) + 0.01) {
      return Optional.empty();
    }
    return Optional.of(
        leaking(
            validation.lastStep(),
            String.format(
                "the validation loss is %.2g, as low as the training loss (%.2g)",
                validation.last(), ending(run))));
  }

  private static Finding leaking(long step, String evidence) {
    return new Finding(
        Finding.Symptom.VALIDATION_LEAK,
        step,
        evidence,
        "It shows nothing about new records: remove duplicates before validation is split off, or"
            + " name others in validation_path. (Answers that follow from a rule get as low.)");
  }

  private static Optional<Finding> byHeart(RunCurves run) {
    if (run.isDiffusion() || !run.validation().isEmpty()) {
      return Optional.empty();
    }
    Curve loss = run.loss().finite();
    if (isKnown(run)) {
      return Optional.of(
          byHeart(
              loss,
              String.format(
                  "the training loss is %.2g: the answers are known by heart,", ending(run))));
    }
    double times = timesSeen(run);
    return times > MANY_TIMES && loss.size() >= FEWEST && ending(run) < loss.first() / 3
        ? Optional.of(
            byHeart(
                loss,
                String.format(
                    "each of %.0f records was seen %.0f times, the training loss is %.2g,",
                    run.number(DataFacts.RECORDS).orElse(0), times, ending(run))))
        : Optional.empty();
  }

  private static Finding byHeart(Curve loss, String evidence) {
    return new Finding(
        Finding.Symptom.MEMORIZED,
        loss.lastStep(),
        evidence + " and no validation shows what else was learnt",
        "Set validation_fraction: 0.1, fewer epochs, or more data");
  }

  /** How often the run met a record, 0 if that is not known. */
  private static double timesSeen(RunCurves run) {
    double records = run.number(DataFacts.RECORDS).orElse(0);
    double batch =
        run.number("batch_size").orElse(0) * run.number("gradient_accumulation").orElse(1);
    return records == 0 || run.loss().isEmpty() ? 0 : run.loss().lastStep() * batch / records;
  }

  private static boolean isKnown(RunCurves run) {
    Curve loss = run.loss().finite();
    if (loss.size() < FEWEST) {
      return false;
    }
    double start = Statistics.median(loss.values(), 0, 5);
    return ending(run) < KNOWN && ending(run) < SHARE * Math.max(start, loss.first());
  }

  private static double ending(RunCurves run) {
    double[] v = run.loss().finite().values();
    return Statistics.median(v, v.length - Math.max(3, v.length / 10), v.length);
  }
}
