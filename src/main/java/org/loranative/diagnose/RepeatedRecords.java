package org.loranative.diagnose;

import java.util.Optional;
import org.loranative.track.DataFacts;

/** Training records that are there more than once: they count as often, and are learnt by heart. */
final class RepeatedRecords implements Check {
  private static final double SHARE = 0.05;
  private static final int FEWEST = 3;

  @Override
  public Optional<Finding> find(RunCurves run) {
    double records = run.number(DataFacts.RECORDS).orElse(0);
    double exact = run.number(DataFacts.DUPLICATES).orElse(0);
    double near = run.number(DataFacts.NEAR_DUPLICATES).orElse(0);
    if (exact + near < FEWEST || exact + near < SHARE * records) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Finding.Symptom.REPEATED_RECORDS,
            0,
            String.format(
                "%.0f of %.0f training records are there already%s",
                exact + near,
                records,
                near > 0 ? String.format(", %.0f of them %s", near, run.nearly()) : ""),
            "Leave repeated records out unless they are to count more"
                + (run.isDiffusion() ? "; data --dry-run shows them" : "")));
  }
}
