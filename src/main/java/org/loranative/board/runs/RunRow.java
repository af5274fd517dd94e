package org.loranative.board.runs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.config.Catalogue;
import org.loranative.config.Mark;
import org.loranative.diagnose.Curve;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.MeasuredRecords;
import org.loranative.track.RecordedRun;
import org.loranative.track.RunStatus;
import org.loranative.track.Scalars;

/** What the page knows of a run without asking further. */
final class RunRow {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern NAMED_BY_TIME = Pattern.compile("tfevents\\.(\\d{9,11})\\b");
  private static final Pattern LOSS = Pattern.compile("(?i)[^/]*loss(/[^/]*)?");
  private static final Pattern CHECKPOINT = Pattern.compile("checkpoint-(\\d{1,9})");

  private RunRow() {}

  /** Before anything was read. */
  static ObjectNode unread(RunEntry entry) {
    ObjectNode row = JSON.createObjectNode().put("name", entry.name());
    row.put("folder", entry.place().folder().toString()).put("ours", entry.place().isOurs());
    row.put("started", started(entry.place().logs()));
    return row;
  }

  static ObjectNode of(RunEntry entry) {
    RecordedRun run = entry.recorded();
    ObjectNode row = unread(entry);
    Map<String, String> settings = run.settings();
    progress(row, run);
    tags(row, run);
    run.damage().forEach(row.putArray("damage")::add);
    RunCurves curves = RunCurves.eventsOf(run);
    Curve loss = curves.loss();
    long step = loss.size() == 0 ? 0 : loss.steps()[loss.size() - 1];
    Optional<RunStatus> said = RunStatus.read(entry.place().logs());
    RunStatus.State state = entry.state();
    row.put("state", state.label).put("step", step);
    row.put("message", message(state, said));
    long total =
        said.map(RunStatus::total).filter(t -> t > 0).orElse(number(settings, "total_steps"));
    row.put("total", total);
    row.put("planned_bytes", said.map(RunStatus::plannedBytes).orElse(0L));
    double seconds = run.clock().at(run.clock().last());
    row.put("seconds", Double.isFinite(seconds) ? Math.round(seconds) : 0);
    if (state == RunStatus.State.RUNNING && total > step) {
      Rate.secondsPerStep(run, curves.lossTag().orElse(""))
          .ifPresent(s -> row.put("eta", Math.round(s * (total - step))));
    }
    row.put("task", loss.size() == 0 ? "" : curves.isDiffusion() ? "sd" : "llm");
    curves.lossTag().ifPresent(tag -> row.put("loss_tag", tag));
    curves.validationTag().ifPresent(tag -> row.put("validation_tag", tag));
    Scalars.lastMean(loss.values()).ifPresent(v -> row.put("loss", v));
    best(row, curves.validation());
    ObjectNode metrics = row.putObject("metrics");
    for (String tag : run.tags()) {
      if (LOSS.matcher(tag).matches()) {
        run.curve(tag, s -> Scalars.lastMean(s.values())).ifPresent(v -> metrics.put(tag, v));
      }
    }
    ObjectNode shown = row.putObject("settings");
    settings.forEach(
        (key, value) -> {
          if (!Catalogue.isMarked(key, Mark.PLACE)) {
            shown.put(key, value);
          }
        });
    findings(row, entry.findings());
    checkpoints(row.putArray("checkpoints"), entry.place().folder());
    row.put(
        "records_at",
        entry.place().logs().resolve(MeasuredRecords.SUMMARY).toFile().lastModified());
    row.setAll(RunMarks.read(entry.place().folder()));
    return row;
  }

  private static String message(RunStatus.State state, Optional<RunStatus> said) {
    String given = said.map(RunStatus::message).orElse("");
    return state == RunStatus.State.FAILED && given.isEmpty()
        ? "Its process is gone without a word."
        : given;
  }

  private static void progress(ObjectNode row, RecordedRun run) {
    long[] progress = {0, 0};
    try {
      progress = run.progress();
    } catch (IOException | UncheckedIOException e) {
      // it cannot be read now
    }
    row.put("read", progress[0]).put("bytes", progress[1]);
    row.put("complete", run.isComplete()).put("points", run.points());
  }

  /** Curves by name; those of one point with their value. */
  private static void tags(ObjectNode row, RecordedRun run) {
    ArrayNode tags = row.putArray("tags");
    ObjectNode single = row.putObject("single");
    for (String tag : run.tags()) {
      run.curve(
          tag,
          s -> {
            if (s.size() == 1) {
              single.put(tag, Double.isFinite(s.value(0)) ? (Double) s.value(0) : null);
            } else if (s.size() > 1) {
              tags.add(tag);
            }
            return null;
          });
    }
    ObjectNode images = row.putObject("images");
    run.images().forEach((tag, list) -> images.put(tag, list.size()));
    ObjectNode texts = row.putObject("texts");
    run.texts().forEach((tag, list) -> texts.put(tag, list.size()));
  }

  private static void best(ObjectNode row, Curve validation) {
    int best = -1;
    double[] values = validation.values();
    for (int i = 0; i < values.length; i++) {
      if (Double.isFinite(values[i]) && (best < 0 || values[i] < values[best])) {
        best = i;
      }
    }
    if (best >= 0) {
      row.put("best", values[best]).put("best_step", validation.steps()[best]);
    }
  }

  private static void findings(ObjectNode row, List<Finding> findings) {
    if (!findings.isEmpty()) {
      Finding.Symptom verdict = Finding.verdict(findings);
      row.put("verdict", verdict.title).put("severity", lower(verdict.severity));
    }
    ArrayNode list = row.putArray("findings");
    for (Finding f : findings) {
      list.addObject()
          .put("kind", lower(f.symptom()))
          .put("title", f.symptom().title)
          .put("severity", lower(f.symptom().severity))
          .put("step", f.step())
          .put("evidence", f.evidence())
          .put("advice", f.advice());
    }
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static void checkpoints(ArrayNode steps, Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      files
          .map(f -> CHECKPOINT.matcher(f.getFileName().toString()))
          .filter(Matcher::matches)
          .map(m -> Integer.valueOf(m.group(1)))
          .sorted()
          .forEach(steps::add);
    } catch (IOException | UncheckedIOException e) {
      // it has none that can be seen
    }
  }

  private static long number(Map<String, String> settings, String key) {
    try {
      return settings.containsKey(key) ? (long) Double.parseDouble(settings.get(key)) : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** When it began, by the names of its files: known before they are read, and it stays so. */
  private static long started(Path logs) {
    try (Stream<Path> files = Files.list(logs)) {
      return files
          .map(f -> NAMED_BY_TIME.matcher(f.getFileName().toString()))
          .filter(Matcher::find)
          .mapToLong(m -> Long.parseLong(m.group(1)))
          .min()
          .orElse(0);
    } catch (IOException | UncheckedIOException e) {
      return 0;
    }
  }
}
