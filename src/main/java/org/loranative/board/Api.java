package org.loranative.board;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.loranative.config.Catalogue;
import org.loranative.config.Mark;
import org.loranative.diagnose.Finding;
import org.loranative.track.LayerLog;
import org.loranative.track.RecordedRun;
import org.loranative.track.RecordedRun.ImageAt;
import org.loranative.track.Scalars;

/** What the page asks for, as JSON. */
final class Api {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_BUCKETS = 4000;

  private final Runs runs;

  Api(Runs runs) {
    this.runs = runs;
  }

  /** Names, what there is of each, how far it is read, what the doctor says. */
  byte[] runs() throws IOException {
    ArrayNode all = JSON.createArrayNode();
    for (Runs.Entry entry : runs.all()) {
      RecordedRun run = entry.run;
      ObjectNode node = all.addObject().put("name", entry.name);
      long[] progress = run.progress();
      node.put("read", progress[0]).put("bytes", progress[1]);
      node.put("complete", run.isComplete()).put("points", run.points());
      run.tags().forEach(node.putArray("tags")::add);
      ArrayNode images = node.putArray("images");
      run.images()
          .forEach((tag, list) -> images.addObject().put("tag", tag).put("count", list.size()));
      node.put("texts", run.texts().size());
      run.damage().forEach(node.putArray("damage")::add);
      List<Finding> findings = entry.findings();
      if (!findings.isEmpty()) {
        Finding.Kind verdict = Finding.verdict(findings);
        node.put("verdict", verdict.title)
            .put("severity", verdict.severity.name().toLowerCase(Locale.ROOT));
      }
      ArrayNode list = node.putArray("findings");
      for (Finding f : findings) {
        list.addObject()
            .put("kind", f.kind().name().toLowerCase(Locale.ROOT))
            .put("title", f.kind().title)
            .put("severity", f.kind().severity.name().toLowerCase(Locale.ROOT))
            .put("step", f.step())
            .put("evidence", f.evidence())
            .put("advice", f.advice());
      }
    }
    return JSON.writeValueAsBytes(all);
  }

  /** A curve, or the visible part of it, in buckets. */
  byte[] scalars(Map<String, String> query) throws IOException {
    RecordedRun run = run(query);
    long from = number(query, "from", Long.MIN_VALUE);
    long to = number(query, "to", Long.MAX_VALUE);
    int most = (int) Math.max(2, Math.min(MOST_BUCKETS, number(query, "buckets", 800)));
    double weight = Math.max(0, Math.min(0.999, real(query, "smooth", 0)));
    ScreenCurve b =
        run.curve(query.getOrDefault("tag", ""), s -> ScreenCurve.of(s, from, to, most, weight));
    ObjectNode node = JSON.createObjectNode().put("count", b.count());
    ArrayNode steps = node.putArray("steps");
    for (long step : b.steps()) {
      steps.add(step);
    }
    ArrayNode broken = node.putArray("broken");
    for (long step : b.broken()) {
      broken.add(step);
    }
    array(node.putArray("walls"), b.walls());
    array(node.putArray("low"), b.low());
    array(node.putArray("high"), b.high());
    array(node.putArray("smooth"), b.smooth());
    return JSON.writeValueAsBytes(node);
  }

  private static void array(ArrayNode node, double[] values) {
    for (double v : values) {
      if (Double.isFinite(v)) {
        node.add(v);
      } else {
        node.addNull();
      }
    }
  }

  /**
   * What the adapted layers were like: of each number a row for each step, in the layers' order.
   */
  byte[] layers(Map<String, String> query) throws IOException {
    List<LayerLog.At> all = LayerLog.read(run(query).folder());
    ObjectNode node = JSON.createObjectNode();
    ArrayNode steps = node.putArray("steps");
    ArrayNode names = node.putArray("names");
    ObjectNode numbers = node.putObject("numbers");
    if (!all.isEmpty()) {
      all.get(all.size() - 1).layers().forEach(l -> names.add(l.layer()));
    }
    for (LayerLog.At at : all) {
      steps.add(at.step());
      row(numbers.withArray("relative"), at, LayerLog.Layer::relative);
      row(numbers.withArray("grad_norm"), at, LayerLog.Layer::gradNorm);
      row(numbers.withArray("update"), at, LayerLog.Layer::update);
      row(numbers.withArray("directions"), at, LayerLog.Layer::directions);
    }
    return JSON.writeValueAsBytes(node);
  }

  private static void row(ArrayNode rows, LayerLog.At at, ToDoubleFunction<LayerLog.Layer> number) {
    array(rows.addArray(), at.layers().stream().mapToDouble(number).toArray());
  }

  /** Where each picture of a run is, by tag. */
  byte[] images(Map<String, String> query) throws IOException {
    ObjectNode node = JSON.createObjectNode();
    run(query)
        .images()
        .forEach(
            (tag, list) -> {
              ArrayNode steps = node.putArray(tag);
              list.forEach(i -> steps.add(i.step()));
            });
    return JSON.writeValueAsBytes(node);
  }

  /** The bytes of a picture. */
  byte[] image(Map<String, String> query) throws IOException {
    String tag = query.getOrDefault("tag", "");
    List<ImageAt> all = run(query).images().getOrDefault(tag, List.of());
    int i = (int) number(query, "index", 0);
    if (i < 0 || i >= all.size()) {
      throw new NotThere("there is no such picture");
    }
    return RecordedRun.image(all.get(i), tag);
  }

  byte[] texts(Map<String, String> query) throws IOException {
    ObjectNode node = JSON.createObjectNode();
    run(query)
        .texts()
        .forEach(
            (tag, list) -> {
              ArrayNode texts = node.putArray(tag);
              list.forEach(t -> texts.addObject().put("step", t.step()).put("text", t.text()));
            });
    return JSON.writeValueAsBytes(node);
  }

  /** Settings that differ between runs, and the last and lowest value of each loss. */
  byte[] settings() throws IOException {
    List<Runs.Entry> all = runs.all();
    Map<String, Set<String>> values = new TreeMap<>();
    for (Runs.Entry entry : all) {
      entry
          .run
          .settings()
          .forEach((k, v) -> values.computeIfAbsent(k, x -> new TreeSet<>()).add(v));
    }
    List<String> keys = new ArrayList<>();
    values.forEach(
        (key, different) -> {
          boolean everywhere = all.stream().allMatch(e -> e.run.settings().containsKey(key));
          if ((different.size() > 1 || !everywhere) && !Catalogue.isMarked(key, Mark.PLACE)) {
            keys.add(key);
          }
        });
    Set<String> metrics = new TreeSet<>();
    all.forEach(
        e ->
            e.run.tags().stream()
                .filter(t -> t.matches("(?i)[^/]*loss(/[^/]*)?"))
                .forEach(metrics::add));
    ObjectNode node = JSON.createObjectNode();
    keys.forEach(node.putArray("settings")::add);
    metrics.forEach(node.putArray("metrics")::add);
    ArrayNode rows = node.putArray("runs");
    for (Runs.Entry entry : all) {
      ObjectNode row = rows.addObject().put("name", entry.name);
      ObjectNode of = row.putObject("settings");
      entry
          .run
          .settings()
          .forEach(
              (k, v) -> {
                if (keys.contains(k)) {
                  of.put(k, v);
                }
              });
      ObjectNode losses = row.putObject("metrics");
      for (String tag : metrics) {
        entry.run.curve(tag, s -> Scalars.lastMean(s.values())).ifPresent(v -> losses.put(tag, v));
      }
      row.put("verdict", Finding.verdict(entry.findings()).title);
    }
    return JSON.writeValueAsBytes(node);
  }

  private RecordedRun run(Map<String, String> query) {
    return runs.find(query.getOrDefault("run", ""))
        .orElseThrow(() -> new NotThere("there is no such run"))
        .run;
  }

  private static long number(Map<String, String> query, String key, long otherwise) {
    return (long) real(query, key, otherwise);
  }

  private static double real(Map<String, String> query, String key, double otherwise) {
    try {
      return query.containsKey(key) ? Double.parseDouble(query.get(key)) : otherwise;
    } catch (NumberFormatException e) {
      throw new NotThere(key + " is no number");
    }
  }

  /** Something that was asked for does not exist. */
  static final class NotThere extends RuntimeException {
    NotThere(String message) {
      super(message);
    }
  }
}
