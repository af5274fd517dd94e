package org.loranative.diagnose;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.loranative.track.MeasuredRecords;

/**
 * Two measurements of the same records compared record by record: what all of them have in common
 * is no noise, so that much smaller changes show than between two means.
 *
 * @param records that both measured
 * @param fell share of the loss by which the later one is lower, above 0 where it is better
 * @param low lower end of the 95 % interval of that
 * @param high upper end
 */
public record Paired(int records, double fell, double low, double high) {
  /** Fewer records tell nothing of others. */
  private static final int FEWEST = 5;

  private static final int DRAWS = 2000;

  /** Compares what a set lost at two steps; empty where records are not known or too few. */
  static Optional<Paired> of(RunCurves run, String set, long before, long after) {
    return of(
        MeasuredRecords.at(run.records(), set, before),
        MeasuredRecords.at(run.records(), set, after));
  }

  /**
   * Compares two sets that were measured at the same steps, by the records that both have.
   *
   * @param steps at which both were measured; what one record lost at them is taken together
   */
  static Optional<Paired> of(RunCurves run, String one, String other, long[] steps) {
    Map<String, MeasuredRecords> first = new LinkedHashMap<>();
    Map<String, MeasuredRecords> second = new LinkedHashMap<>();
    for (long step : steps) {
      MeasuredRecords.at(run.records(), one, step)
          .forEach((set, m) -> first.put(step + set.substring(one.length()), m));
      MeasuredRecords.at(run.records(), other, step)
          .forEach((set, m) -> second.put(step + set.substring(other.length()), m));
    }
    return of(first, second);
  }

  /**
   * Compares two measurements of one set, by its parts; of one run or of two.
   *
   * @return empty where too few records are in both
   */
  public static Optional<Paired> of(
      Map<String, MeasuredRecords> first, Map<String, MeasuredRecords> second) {
    Map<String, double[]> differences = new LinkedHashMap<>(); // by record: sum, count
    double level = 0;
    int count = 0;
    boolean together =
        first.values().stream()
                .flatMap(m -> m.losses().keySet().stream())
                .map(Paired::source)
                .distinct()
                .count()
            >= FEWEST;
    for (Map.Entry<String, MeasuredRecords> part : first.entrySet()) {
      MeasuredRecords earlier = part.getValue();
      MeasuredRecords later = second.get(part.getKey());
      for (Map.Entry<String, Double> e : earlier.losses().entrySet()) {
        Double now = later == null ? null : later.losses().get(e.getKey());
        if (now != null && Double.isFinite(now) && Double.isFinite(e.getValue())) {
          String record = together ? source(e.getKey()) : e.getKey();
          double[] sums = differences.computeIfAbsent(record, r -> new double[2]);
          sums[0] += e.getValue() - now;
          sums[1]++;
          level += e.getValue();
          count++;
        }
      }
    }
    if (differences.size() < FEWEST || level <= 0) {
      return Optional.empty();
    }
    // In a fixed order, so that the same measurements give the same interval always.
    double[] of =
        differences.entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .mapToDouble(e -> e.getValue()[0] / e.getValue()[1])
            .toArray();
    double mean = level / count;
    double[] drawn = bootstrap(of);
    return Optional.of(
        new Paired(
            of.length,
            Statistics.mean(of, 0, of.length) / mean,
            Statistics.quantile(drawn, 0.025) / mean,
            Statistics.quantile(drawn, 0.975) / mean));
  }

  /**
   * An image that is measured at several timesteps, or σ, is one, where there are images enough.
   */
  private static String source(String record) {
    return record.replaceFirst(" (t|sigma)[0-9.]+$", "");
  }

  /** Means of as many records, drawn again and again (Efron 1979). */
  private static double[] bootstrap(double[] x) {
    SplittableRandom random = new SplittableRandom(x.length);
    double[] means = new double[DRAWS];
    Arrays.setAll(
        means,
        i -> {
          double sum = 0;
          for (int k = 0; k < x.length; k++) {
            sum += x[random.nextInt(x.length)];
          }
          return sum / x.length;
        });
    return means;
  }

  /** Whether the interval leaves 0 out. */
  public boolean isSure() {
    return low > 0 || high < 0;
  }

  /** The smallest share that so many records could show. */
  double resolution() {
    return (high - low) / 2;
  }

  /** Records that would show a share. */
  public long wouldShow(double share) {
    return (long) Math.ceil(records * Math.pow(resolution() / share, 2));
  }

  /** {@code 0.3 % better, 95 % interval 0.1 to 0.5 %}. */
  @Override
  public String toString() {
    double sign = fell < 0 ? -1 : 1;
    double one = 100 * sign * low;
    double other = 100 * sign * high;
    return String.format(
        "%.2g %% %s record by record, 95 %% interval %.2g to %.2g %%",
        100 * Math.abs(fell),
        fell < 0 ? "worse" : "better",
        Math.min(one, other),
        Math.max(one, other));
  }
}
