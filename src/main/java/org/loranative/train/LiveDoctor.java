package org.loranative.train;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.diagnose.Curve;
import org.loranative.diagnose.Doctor;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.LayerLog;
import org.loranative.track.MeasuredRecords;
import org.loranative.track.RecordedRun;
import org.loranative.track.Scalars;

/**
 * Examines a run now and then while it trains, says each thing once, and takes it back where it no
 * longer holds.
 */
public final class LiveDoctor {
  /** Examinations of a whole run. */
  private static final int VISITS = 100;

  private static final int LEAST_INTERVAL = 5;

  /** Examinations in a row that must miss what was said before it is taken back. */
  private static final int GONE = 2;

  private final Map<String, Scalars> scalars = new LinkedHashMap<>();
  private final List<LayerLog.At> layers = new ArrayList<>();
  private final List<MeasuredRecords> records = new ArrayList<>();
  private final Map<String, String> settings = new LinkedHashMap<>();
  private final Map<Finding.Symptom, Finding> said = new EnumMap<>(Finding.Symptom.class);
  private final Map<Finding.Symptom, Integer> missed = new EnumMap<>(Finding.Symptom.class);
  private final int interval;

  /**
   * @param settings of the configuration
   * @param total steps of the run
   */
  public LiveDoctor(Map<String, Object> settings, int total) {
    settings.forEach((k, v) -> this.settings.put(k, String.valueOf(v)));
    interval = Math.max(LEAST_INTERVAL, total / VISITS);
  }

  /**
   * Takes the points that a run left before it was resumed, up to a step; what they show was said.
   */
  public void resume(RecordedRun before, int step) {
    for (String tag : before.tags()) {
      Scalars known = before.scalars(tag);
      known.dropFrom(step + 1L);
      scalars.put(tag, known);
    }
    LayerLog.read(before.folder()).stream().filter(at -> at.step() <= step).forEach(this::add);
    MeasuredRecords.read(before.folder()).stream()
        .filter(m -> m.step() <= step)
        .forEach(records::add);
    examine().forEach(f -> said.put(f.symptom(), f));
  }

  /** Takes the points of a step. */
  void add(int step, Map<String, Double> points) {
    points.forEach((tag, v) -> scalars.computeIfAbsent(tag, t -> new Scalars()).add(step, v, 0));
  }

  /** Takes what each measured record lost at a step. */
  void add(int step, Measurement measured) {
    measured
        .records()
        .forEach(
            (set, all) -> {
              Map<String, Double> losses = new LinkedHashMap<>();
              all.forEach(r -> losses.put(r.record(), r.loss()));
              records.add(new MeasuredRecords(step, set, losses));
            });
  }

  /** Takes what the adapted layers were like at a step. */
  void add(LayerLog.At at) {
    int last = layers.size() - 1;
    if (last >= 0) {
      layers.set(last, layers.get(last).brief()); // only the newest singular values are looked at
    }
    layers.add(at);
  }

  /** Forgets what lies behind a checkpoint. */
  void rewind(int step) {
    scalars.values().forEach(s -> s.dropFrom(step + 1L));
    layers.removeIf(at -> at.step() > step);
    records.removeIf(m -> m.step() > step);
    said.clear();
  }

  boolean isDue(int step) {
    return step % interval == 0;
  }

  /**
   * What an examination brought.
   *
   * @param found what is wrong and was not said before
   * @param withdrawn what was said and no longer holds
   */
  public record News(List<Finding> found, List<Finding> withdrawn) {}

  /** Examines the run as it stands. */
  public News news() {
    List<Finding> now = examine();
    List<Finding> found = new ArrayList<>();
    for (Finding f : now) {
      boolean matters = f.symptom().severity.compareTo(Finding.Severity.NOTE) >= 0;
      if (matters
          && f.symptom() != Finding.Symptom.CANNOT_TELL
          && said.put(f.symptom(), f) == null) {
        found.add(f);
      }
    }
    return new News(found, withdrawn(now));
  }

  private List<Finding> withdrawn(List<Finding> now) {
    List<Finding> gone = new ArrayList<>();
    for (Finding.Symptom symptom : List.copyOf(said.keySet())) {
      boolean holds =
          now.stream()
              .anyMatch(f -> f.symptom() == symptom || Doctor.explains(f.symptom(), symptom));
      if (holds) {
        missed.remove(symptom);
      } else if (missed.merge(symptom, 1, Integer::sum) >= GONE) {
        gone.add(said.remove(symptom));
        missed.remove(symptom);
      }
    }
    return gone;
  }

  /** Everything there is to say. */
  List<Finding> examine() {
    Map<String, Curve> curves = new LinkedHashMap<>();
    scalars.forEach((tag, s) -> curves.put(tag, Curve.of(s)));
    return Doctor.examine(new RunCurves(curves, settings, layers, records));
  }

  /** A loss that climbs beyond doubt, for which a run may go back. */
  static Optional<Finding> climbing(List<Finding> findings) {
    return findings.stream().filter(f -> f.symptom() == Finding.Symptom.UNSTABLE).findFirst();
  }
}
