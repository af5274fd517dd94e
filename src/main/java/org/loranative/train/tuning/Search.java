package org.loranative.train.tuning;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.diagnose.Paired;

/** How candidates stand against one another, the best first. */
final class Search {
  private final Map<Candidate, TrialCurves> measured;
  private final List<Candidate> tried;
  private List<Candidate> alive;
  private int rankedAt;
  private int leftOut;
  private int doubtful;
  private boolean whole;

  /**
   * @param measured what each has measured by now
   */
  Search(List<Candidate> candidates, Map<Candidate, TrialCurves> measured) {
    this.tried = new ArrayList<>(candidates);
    this.alive = List.copyOf(candidates);
    this.measured = measured;
  }

  List<Candidate> alive() {
    return alive;
  }

  /** Takes up another that was trained as far as those that are left, and orders them anew. */
  void add(Candidate c) {
    tried.add(c);
    alive = Stream.concat(alive.stream(), Stream.of(c)).toList();
    rank(rankedAt);
  }

  /**
   * Orders them by their loss where they are to end, a step at most; one that was not measured
   * there diverged.
   */
  void rank(int step) {
    rankedAt = step;
    alive = alive.stream().sorted(Comparator.comparingDouble(this::loss)).toList();
  }

  private double loss(Candidate c) {
    TrialCurves run = measured.get(c);
    double last = run.at(rankedAt).orElse(Double.NaN);
    return Double.isFinite(last) ? run.at(endOf(c)).orElse(last) : Double.POSITIVE_INFINITY;
  }

  /** The step after which a candidate is judged. */
  long endOf(Candidate c) {
    return measured.get(c).endsAt(rankedAt);
  }

  /** Leaves out all but the first so many. */
  void keep(int count) {
    for (Candidate c : alive.subList(Math.min(count, alive.size()), alive.size())) {
      leftOut++;
      if (Double.isFinite(loss(c)) && !isSurelyBetter(alive.get(count - 1), c)) {
        doubtful++;
      }
    }
    alive = alive.subList(0, Math.min(count, alive.size()));
  }

  private boolean isSurelyBetter(Candidate one, Candidate other) {
    return compare(one, other).map(p -> p.isSure() && p.fell() > 0).orElse(false);
  }

  /** By how much one is better than another where they were last compared. */
  private Optional<Paired> compare(Candidate one, Candidate other) {
    return measured.get(other).against(endOf(other), measured.get(one), endOf(one));
  }

  /**
   * @param toTheEnd whether the last two were trained to the end
   */
  Search ended(boolean toTheEnd) {
    whole = toTheEnd;
    return this;
  }

  boolean isWhole() {
    return whole;
  }

  /** Whether all were compared, once at least. */
  boolean isRanked() {
    return rankedAt > 0;
  }

  /** The step at which they were last compared. */
  int rankedAt() {
    return rankedAt;
  }

  /** Left out on the way. */
  int leftOut() {
    return leftOut;
  }

  /** Of these, how many are not worse for sure than one that was kept. */
  int doubtful() {
    return doubtful;
  }

  /** The first, or the one behind it if that has a smaller rank and is not worse for sure. */
  Candidate best() {
    Candidate first = alive.get(0);
    if (!Double.isFinite(loss(first))) {
      throw new UserException(
          "Every candidate diverged. Look at one with lora-native doctor, and name a lower"
              + " learning_rate or another base.");
    }
    return second().filter(s -> s.rank() < first.rank() && !isSurelyBetter(first, s)).orElse(first);
  }

  /** The one behind the first. */
  private Optional<Candidate> second() {
    return alive.stream().skip(1).findFirst().filter(c -> Double.isFinite(loss(c)));
  }

  /** The candidate that comes closest to the best one. */
  Optional<Candidate> rival() {
    return second().map(s -> s.equals(best()) ? alive.get(0) : s);
  }

  /** By how much the best is better than its rival. */
  Optional<Paired> lead() {
    return rival().flatMap(r -> compare(best(), r));
  }

  /** What lies beyond what was tried, where the best lies at the end of it. */
  Optional<String> edge() {
    Candidate best = best();
    List<String> ends = new ArrayList<>();
    if (rates().anyMatch(r -> r != best.rate())) {
      if (rates().noneMatch(r -> r > best.rate())) {
        ends.add("highest rate");
      } else if (rates().noneMatch(r -> r < best.rate())) {
        ends.add("lowest rate");
      }
    }
    if (tried.stream().anyMatch(c -> c.rank() < best.rank())
        && tried.stream().noneMatch(c -> c.rank() > best.rank())) {
      ends.add("largest rank");
    }
    return ends.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "It has the "
                + String.join(" and the ", ends)
                + " of those tried, and nothing beyond was looked at. ");
  }

  private DoubleStream rates() {
    return tried.stream().mapToDouble(Candidate::rate);
  }

  /** The best with a rate beyond those tried, where its own lies at their end and helps at all. */
  Optional<Candidate> beyond(double factor) {
    Candidate best = best();
    if (rates().allMatch(r -> r == best.rate()) || !measured.get(best).isBetterAfter(endOf(best))) {
      return Optional.empty();
    }
    if (rates().noneMatch(r -> r > best.rate())) {
      return Optional.of(best.withRate(Candidate.rounded(best.rate() * factor)));
    }
    return rates().noneMatch(r -> r < best.rate())
        ? Optional.of(best.withRate(Candidate.rounded(best.rate() / factor)))
        : Optional.empty();
  }

  /** A line for each, for people. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (Candidate c : alive) {
      lines.add(
          Double.isFinite(loss(c))
              ? String.format(
                  "  validation loss %.4f: %s%s",
                  loss(c),
                  c,
                  endOf(c) < rankedAt ? " (after step " + endOf(c) + ", higher since)" : "")
              : String.format("  diverged:               %s", c));
    }
    return lines;
  }
}
