package org.loranative.board.curves;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.loranative.board.http.Reply;
import org.loranative.board.runs.RunEntry;
import org.loranative.board.runs.Runs;
import org.loranative.track.LayerLog;

/** Curves as a screen shows them, many in one answer. */
public final class Curves {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_BUCKETS = 4000;
  private static final int MOST_CURVES = 4000;

  private final Runs runs;

  public Curves(Runs runs) {
    this.runs = runs;
  }

  /**
   * What is asked: {@code axis}, {@code smooth}, {@code from}, {@code to}, {@code buckets}, and
   * {@code curves}, each with {@code run}, {@code tag}, and of what the page has {@code level},
   * {@code have} (whole buckets) and {@code rewinds}.
   */
  public JsonNode answer(JsonNode asked) {
    Axis axis = Axis.named(asked.path("axis").asText(""));
    double weight = Math.max(0, Math.min(0.999, asked.path("smooth").asDouble(0)));
    int most = Math.max(2, Math.min(MOST_BUCKETS, asked.path("buckets").asInt(800)));
    double from = asked.path("from").asDouble(Double.NEGATIVE_INFINITY);
    double to = asked.path("to").asDouble(Double.POSITIVE_INFINITY);
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode curves = answer.putArray("curves");
    int n = 0;
    for (JsonNode one : asked.path("curves")) {
      if (n++ == MOST_CURVES) {
        break;
      }
      ObjectNode curve = curves.addObject();
      runs.find(one.path("run").asText())
          .ifPresent(
              run -> {
                double own = one.path("smooth").asBoolean(true) ? weight : 0;
                boolean same = one.path("rewinds").asLong(-1) == run.recorded().rewinds();
                int have = same ? Math.max(0, one.path("have").asInt(0)) : 0;
                write(
                    curve,
                    run,
                    axis,
                    one.path("tag").asText(),
                    new ScreenCurve.Window(from, to, most, own, one.path("level").asInt(-1), have));
              });
    }
    return answer;
  }

  private static void write(
      ObjectNode node, RunEntry run, Axis axis, String tag, ScreenCurve.Window window) {
    ScreenCurve c =
        run.recorded().curve(tag, s -> ScreenCurve.of(s, axis.of(run.recorded(), s), window));
    node.put("level", c.level()).put("first", c.first()).put("count", c.count());
    node.put("rewinds", run.recorded().rewinds());
    Reply.numbers(node.putArray("x"), c.x());
    if (axis != Axis.STEP) {
      Reply.numbers(node.putArray("steps"), c.steps());
    }
    boolean single = c.level() == 0; // low, high and value are one
    Reply.numbers(node.putArray("low"), c.low());
    if (!single) {
      Reply.numbers(node.putArray("high"), c.high());
    }
    if (window.weight() > 0 || !single) {
      Reply.numbers(node.putArray("smooth"), c.smooth());
    }
    Reply.numbers(node.putArray("broken"), c.broken());
  }

  /** What the adapted layers were like: of each number a row for each step, in their order. */
  public JsonNode layers(RunEntry run) {
    List<LayerLog.At> all = LayerLog.read(run.recorded().folder());
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
    return node;
  }

  private static void row(ArrayNode rows, LayerLog.At at, ToDoubleFunction<LayerLog.Layer> number) {
    Reply.numbers(rows.addArray(), at.layers().stream().mapToDouble(number).toArray());
  }
}
