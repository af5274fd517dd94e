package org.loranative.gpucheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A run of {@code train} in a process of its own.
 *
 * @param settings of the configuration, without output_dir
 */
record Training(Map<String, String> settings) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern PLANNED = Pattern.compile("memory: (.*) planned");

  Training {
    settings = new TreeMap<>(settings);
  }

  Training with(String key, String value) {
    Map<String, String> changed = new TreeMap<>(settings);
    changed.put(key, value);
    return new Training(changed);
  }

  /** What a run left: its losses, and each step's throughput. */
  record Result(Child child, List<Double> losses, List<Double> unitsPerSecond, String planned) {
    /** The median without the first three steps, which allocate and capture. */
    double throughput() {
      List<Double> steady =
          new ArrayList<>(
              unitsPerSecond.subList(
                  Math.min(3, unitsPerSecond.size() - 1), unitsPerSecond.size()));
      steady.sort(null);
      return steady.get(steady.size() / 2);
    }

    void into(ObjectNode node) {
      node.put("seconds", child.seconds());
      if (losses.isEmpty() || child.code() != 0) {
        node.put("failed", child.failure());
        return;
      }
      node.put("per_s", throughput()).put("peak_bytes", child.peakBytes()).put("planned", planned);
      losses.forEach(node.putArray("losses")::add);
    }
  }

  Result run(Path output, double seconds, String driver) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("train", "--set=output_dir=" + output));
    settings.forEach((k, v) -> arguments.add("--set=" + k + "=" + v));
    Child child =
        Child.run(
            Child.java("org.loranative.cli.Main", arguments.toArray(String[]::new)),
            seconds,
            driver);
    List<Double> losses = new ArrayList<>();
    List<Double> speeds = new ArrayList<>();
    Path metrics = output.resolve("logs/metrics.jsonl");
    if (Files.exists(metrics)) {
      for (String line : Files.readAllLines(metrics)) {
        JsonNode step = JSON.readTree(line);
        losses.add(step.path("loss").asDouble());
        speeds.add(
            step.path(step.has("images_per_s") ? "images_per_s" : "tokens_per_s").asDouble());
      }
    }
    Path log = output.resolve("logs/train.log");
    Matcher planned = PLANNED.matcher(Files.exists(log) ? Files.readString(log) : "");
    return new Result(child, losses, speeds, planned.find() ? planned.group(1) : "");
  }
}
