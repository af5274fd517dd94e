package org.loranative.diagnose;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** A card or CPU that slows down for heat, and still does at the end. */
final class Heat implements Check {
  private static final int FEWEST = 5;

  @Override
  public Optional<Finding> find(RunCurves run) {
    return Stream.of("gpu", "cpu").flatMap(part -> find(run, part).stream()).findFirst();
  }

  private static Optional<Finding> find(RunCurves run, String part) {
    Curve slowed = run.sensor(part + "/throttled_by_heat");
    int since = since(slowed.values());
    if (slowed.size() - since < FEWEST) {
      return Optional.empty();
    }
    double[] degrees = run.sensor(part + "/temperature_c").values();
    String at =
        degrees.length == 0 ? "" : String.format(" at %.0f °C", degrees[degrees.length - 1]);
    return Optional.of(
        new Finding(
            Finding.Symptom.THERMAL_THROTTLING,
            slowed.steps()[since],
            "the " + part.toUpperCase(Locale.ROOT) + " lowers its clock for heat" + at,
            "Give it air, or a lower power limit (nvidia-smi -pl), which costs less speed than"
                + " heat"));
  }

  /** The index from which on it is slowed down, but for pauses of fewer than some readings. */
  private static int since(double[] slowed) {
    int since = slowed.length;
    for (int i = slowed.length - 1; i >= 0 && since - i <= FEWEST; i--) {
      since = slowed[i] > 0 ? i : since;
    }
    return since;
  }
}
