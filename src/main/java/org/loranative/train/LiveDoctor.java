package org.loranative.train;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.diagnose.Curve;
import org.loranative.diagnose.Doctor;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.RecordedRun;
import org.loranative.track.Scalars;

/** Examines a run now and then while it trains, and says each thing once. */
final class LiveDoctor {
  /** Examinations of a whole run. */
  private static final int VISITS = 50;

  private static final int LEAST_INTERVAL = 10;

  private final Map<String, Scalars> scalars = new LinkedHashMap<>();
  private final Map<String, String> settings = new LinkedHashMap<>();
  private final Set<Finding.Kind> said = EnumSet.noneOf(Finding.Kind.class);
  private final int interval;

  /**
   * @param settings of the configuration
   * @param total steps of the run
   */
  LiveDoctor(Map<String, Object> settings, int total) {
    settings.forEach((k, v) -> this.settings.put(k, String.valueOf(v)));
    interval = Math.max(LEAST_INTERVAL, total / VISITS);
  }

  /**
   * Takes the points that a run left before it was resumed, up to a step; what they show was said.
   */
  void resume(RecordedRun before, int step) {
    for (String tag : before.tags()) {
      Scalars known = before.scalars(tag);
      known.dropFrom(step + 1L);
      scalars.put(tag, known);
    }
    examine().forEach(f -> said.add(f.kind()));
  }

  /** Takes the points of a step. */
  void add(int step, Map<String, Double> points) {
    points.forEach((tag, v) -> scalars.computeIfAbsent(tag, t -> new Scalars()).add(step, v, 0));
  }

  /** Forgets what lies behind a checkpoint. */
  void rewind(int step) {
    scalars.values().forEach(s -> s.dropFrom(step + 1L));
    said.clear();
  }

  boolean isDue(int step) {
    return step % interval == 0;
  }

  /** What is wrong and was not said before. */
  List<Finding> news() {
    List<Finding> news = new ArrayList<>();
    for (Finding f : examine()) {
      boolean matters = f.kind().severity.compareTo(Finding.Severity.NOTE) >= 0;
      if (matters && f.kind() != Finding.Kind.TOO_SHORT && said.add(f.kind())) {
        news.add(f);
      }
    }
    return news;
  }

  /** Everything there is to say. */
  List<Finding> examine() {
    Map<String, Curve> curves = new LinkedHashMap<>();
    scalars.forEach((tag, s) -> curves.put(tag, Curve.of(s)));
    return Doctor.examine(new RunCurves(curves, settings));
  }

  /** A loss that climbs, for which a run may go back. */
  static Optional<Finding> climbing(List<Finding> findings) {
    return findings.stream().filter(f -> f.kind() == Finding.Kind.UNSTABLE).findFirst();
  }
}
