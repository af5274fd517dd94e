package org.loranative.train.tuning;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.loranative.diagnose.Curve;
import org.loranative.diagnose.Paired;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.MeasuredRecords;
import org.loranative.track.RecordedRun;

/**
 * What a candidate's run has measured on data that is not trained on.
 *
 * @param trained steps of the run that are done
 */
record TrialCurves(Curve validation, List<MeasuredRecords> records, long trained) {
  static final TrialCurves NOTHING = new TrialCurves(Curve.EMPTY, List.of(), 0);

  private static final String SET = "val";

  /** Of a run's folder; of one that is not there, nothing. */
  static TrialCurves of(Path folder) {
    Path logs = folder.resolve("logs");
    if (!Files.isDirectory(logs)) {
      return NOTHING;
    }
    RunCurves curves = RunCurves.of(new RecordedRun(logs).readAll());
    Curve loss = curves.loss();
    long trained = loss.size() == 0 ? 0 : loss.steps()[loss.size() - 1];
    return new TrialCurves(curves.validation(), curves.records(), trained);
  }

  /**
   * Where the run is to end that was trained up to a step: there, or where the loss was lowest if
   * it is higher for sure now.
   */
  long endsAt(long step) {
    long lowest = step;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < validation.size() && validation.steps()[i] <= step; i++) {
      if (validation.values()[i] < least) {
        least = validation.values()[i];
        lowest = validation.steps()[i];
      }
    }
    boolean rose =
        lowest > 0
            && against(step, this, lowest).map(p -> p.isSure() && p.fell() > 0).orElse(false);
    return rose ? lowest : step;
  }

  /** Whether training up to a step did any good, for sure. */
  boolean isBetterAfter(long step) {
    return against(0, this, step).map(p -> p.isSure() && p.fell() > 0).orElse(false);
  }

  /** Whether the last quarter of its measurements brought something, for sure. */
  boolean isStillFalling() {
    int n = validation.size();
    return n > 1
        && against(validation.steps()[(n - 1) * 3 / 4], this, validation.steps()[n - 1])
            .map(p -> p.isSure() && p.fell() > 0)
            .orElse(false);
  }

  /** The loss after a step. */
  OptionalDouble at(long step) {
    for (int i = 0; i < validation.size(); i++) {
      if (validation.steps()[i] == step) {
        return OptionalDouble.of(validation.values()[i]);
      }
    }
    return OptionalDouble.empty();
  }

  /** By how much another run is better after a step of its own, record by record. */
  Optional<Paired> against(long step, TrialCurves other, long otherStep) {
    return Paired.of(
        MeasuredRecords.at(records, SET, step), MeasuredRecords.at(other.records, SET, otherStep));
  }
}
