package org.loranative.train.evaluation;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One line of the table.
 *
 * @param key its name in the report
 * @param name for people
 */
public record Figure(
    String key, String name, Unit unit, Estimate base, Optional<Comparison> comparison) {

  /**
   * The adapter's side.
   *
   * @param change from the base to the adapter
   * @param changeUnit which also says whether it is a difference or a ratio
   */
  public record Comparison(Estimate adapted, Estimate change, Unit changeUnit, Verdict verdict) {}

  /** For the report: numbers without an interval have null ends. */
  Map<String, Object> told() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("base", told(base));
    comparison.ifPresent(
        c -> {
          all.put("adapter", told(c.adapted()));
          all.put(c.changeUnit() == Unit.TIMES ? "ratio" : "difference", told(c.change()));
          all.put("verdict", c.verdict().name().toLowerCase(Locale.ROOT));
        });
    return all;
  }

  private static Map<String, Object> told(Estimate e) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("value", e.value());
    all.put("low", Double.isFinite(e.low()) ? e.low() : null);
    all.put("high", Double.isFinite(e.high()) ? e.high() : null);
    return all;
  }
}
