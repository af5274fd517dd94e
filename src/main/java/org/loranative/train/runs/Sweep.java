package org.loranative.train.runs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.TrainingDivergedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs of one configuration with other values of some keys, one after the other, each in a folder
 * of its own. {@code sweep.jsonl} says which are done, so that it goes on where it was stopped.
 */
public final class Sweep {
  private static final Logger log = LoggerFactory.getLogger(Sweep.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A key and the values that it takes. */
  public record Axis(String key, List<String> values) {
    /**
     * @param text {@code key=a,b,c}
     */
    public static Axis parse(String text) {
      int equals = text.indexOf('=');
      List<String> values =
          equals < 1 ? List.of() : List.of(text.substring(equals + 1).split("\\s*,\\s*"));
      if (values.isEmpty() || values.contains("")) {
        throw new UserException("--over " + text + ": write it as key=value,value,…");
      }
      return new Axis(text.substring(0, equals).strip(), values);
    }
  }

  private final Path folder;
  private final Optional<Path> config;
  private final List<String> overrides;

  /**
   * @param folder that takes the runs
   * @param config the settings that stay
   * @param overrides of it
   */
  public Sweep(Path folder, Optional<Path> config, List<String> overrides) {
    this.folder = folder;
    this.config = config;
    this.overrides = List.copyOf(overrides);
  }

  /** Every combination, the last key fastest. */
  public static List<Map<String, String>> grid(List<Axis> axes) {
    List<Map<String, String>> all = List.of(Map.of());
    for (Axis axis : axes) {
      List<Map<String, String>> longer = new ArrayList<>();
      for (Map<String, String> one : all) {
        for (String value : axis.values()) {
          Map<String, String> more = new LinkedHashMap<>(one);
          more.put(axis.key(), value);
          longer.add(more);
        }
      }
      all = longer;
    }
    return all;
  }

  /** Some combinations, drawn without repetition. */
  public static List<Map<String, String>> random(List<Axis> axes, int count, long seed) {
    List<Map<String, String>> all = new ArrayList<>(grid(axes));
    Collections.shuffle(all, new Random(seed));
    return all.subList(0, Math.min(count, all.size()));
  }

  /** The folder's name of a combination. */
  static String name(Map<String, String> values) {
    List<String> parts = new ArrayList<>();
    values.forEach((k, v) -> parts.add(k + "=" + v.replaceAll("[^A-Za-z0-9._+-]+", "_")));
    return String.join(",", parts);
  }

  private TrainConfig configuration(Map<String, String> values) {
    List<String> all = new ArrayList<>(overrides);
    values.forEach((k, v) -> all.add(k + "=" + v));
    all.add(ConfigReader.override("output_dir", folder.resolve(name(values)).toString()));
    return ConfigReader.read(config, all);
  }

  /**
   * Trains what is not done; a run that diverges is noted, and the next one begins.
   *
   * @return whether all are done
   */
  public boolean run(List<Map<String, String>> combinations, Console console, StopSignal stop)
      throws IOException {
    combinations.forEach(c -> configuration(c).requireComplete()); // mistakes before hours
    Files.createDirectories(folder);
    Set<String> done = done();
    int at = 0;
    for (Map<String, String> values : combinations) {
      String name = name(values);
      at++;
      if (done.contains(name)) {
        log.info("sweep {}/{}: {} is done", at, combinations.size(), name);
        continue;
      }
      log.info("sweep {}/{}: {}", at, combinations.size(), name);
      String outcome = "done";
      try (TrainRun run = new TrainRun(configuration(values))) {
        boolean resume = Files.exists(folder.resolve(name));
        boolean finished = run.train(resume, console, stop).isPresent();
        if (!finished) {
          return false;
        }
      } catch (TrainingDivergedException e) {
        log.warn("{}: {}", name, e.getMessage());
        outcome = "diverged";
      }
      note(name, outcome);
    }
    return true;
  }

  private Path file() {
    return folder.resolve("sweep.jsonl");
  }

  private Set<String> done() throws IOException {
    Set<String> names = new TreeSet<>();
    if (Files.exists(file())) {
      for (String line : Files.readAllLines(file())) {
        try {
          JsonNode node = JSON.readTree(line);
          names.add(node.path("run").asText());
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
          log.debug("a line of {} was cut off: that run is looked at again", file());
        }
      }
    }
    return names;
  }

  private void note(String name, String outcome) throws IOException {
    ObjectNode node = JSON.createObjectNode().put("run", name).put("outcome", outcome);
    Files.writeString(file(), node + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
