package org.loranative.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What was measured between two steps.
 *
 * @param losses of each set by name ({@code val}, {@code probe}), and of its parts by {@code
 *     name/part}
 * @param metrics the objective's further results for each set: by set, then by metric
 * @param records the loss of every record of each part
 */
public record Measurement(
    Map<String, Double> losses,
    Map<String, Map<String, Double>> metrics,
    Map<String, List<RecordLoss>> records) {
  static final Measurement NONE = new Measurement(Map.of(), Map.of(), Map.of());

  boolean isEmpty() {
    return losses.isEmpty();
  }

  /** Adds up parts, which count alike. */
  static final class Builder {
    private final Map<String, Integer> parts = new LinkedHashMap<>();
    private final Map<String, Double> losses = new LinkedHashMap<>();
    private final Map<String, Map<String, Double>> metrics = new LinkedHashMap<>();
    private final Map<String, List<RecordLoss>> records = new LinkedHashMap<>();

    void add(String set, String part, PassResults<?> results) {
      String name = part.isEmpty() ? set : set + "/" + part;
      parts.merge(set, 1, Integer::sum);
      losses.merge(set, results.loss(), Double::sum);
      if (!part.isEmpty()) {
        losses.put(name, results.loss());
      }
      Map<String, Double> sums = metrics.computeIfAbsent(set, s -> new LinkedHashMap<>());
      results.metrics().forEach((metric, x) -> sums.merge(metric, x, Double::sum));
      records.put(name, results.records());
    }

    Measurement build() {
      parts.forEach(
          (set, n) -> {
            losses.computeIfPresent(set, (s, sum) -> sum / n);
            metrics.get(set).replaceAll((metric, sum) -> sum / n);
          });
      return new Measurement(losses, metrics, records);
    }
  }
}
