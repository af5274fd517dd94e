package org.loranative.train.tuning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.AtomicFiles;

/** {@code tune.json}: what a search has decided so far; everything else is in its runs' folders. */
final class TuneFile {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NAME = "tune.json";
  private static final String DATA = "data_sha256";
  private static final String SETTINGS = "settings";
  private static final String RANGE = "range_test";
  private static final String CANDIDATES = "candidates";
  private static final String DIVERGED = "diverged";

  private final Path file;
  private final ObjectNode root;

  private TuneFile(Path file, ObjectNode root) {
    this.file = file;
    this.root = root;
  }

  /**
   * Reads the file of a folder, or begins one.
   *
   * @param settings of the search; they must be those that it was begun with
   */
  static TuneFile open(Path folder, Map<String, Object> settings) throws IOException {
    Path file = folder.resolve(NAME);
    ObjectNode now = JSON.createObjectNode();
    settings.forEach((key, value) -> now.put(key, String.valueOf(value)));
    if (!Files.exists(file)) {
      requireUnused(folder);
      ObjectNode root = JSON.createObjectNode();
      root.set(SETTINGS, now);
      return new TuneFile(file, root);
    }
    ObjectNode root;
    try {
      root = (ObjectNode) JSON.readTree(file.toFile());
    } catch (IOException | ClassCastException e) {
      throw damaged(file, e);
    }
    JsonNode begun = root.path(SETTINGS);
    if (!begun.isObject()) {
      throw damaged(file, null);
    }
    now.properties()
        .forEach(
            f -> {
              String before = begun.path(f.getKey()).asText();
              if (!before.equals(f.getValue().asText())) {
                throw new UserException(
                    String.format(
                        "%s was begun with %s: %s, and now it is %s. Go on with the same settings,"
                            + " or name another --output-dir.",
                        folder, f.getKey(), before, f.getValue().asText()));
              }
            });
    return new TuneFile(file, root);
  }

  /** Runs beside files of something else would be taken for one another. */
  private static void requireUnused(Path folder) throws IOException {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new UserException("--output-dir " + folder + " is a file; name a folder.");
    }
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        files
            .findFirst()
            .ifPresent(
                f -> {
                  throw new UserException(
                      String.format(
                          "--output-dir %s holds %s and no %s, so no search was begun there: name"
                              + " a folder that is empty or new.",
                          folder, f.getFileName(), NAME));
                });
      }
    }
  }

  private static UserException damaged(Path file, Exception cause) {
    return new UserException(
        file
            + " cannot be read as what tune wrote there. Name another --output-dir, or delete the"
            + " folder to begin again.",
        cause);
  }

  /** Notes the data that it was begun with; from then on they must be those. */
  void requireSameData(String fingerprint) {
    String begun = root.path(DATA).asText(fingerprint);
    if (!begun.equals(fingerprint)) {
      throw new UserException(
          "The data are not those that "
              + file.getParent()
              + " was begun with, so its runs and new ones cannot be compared. Put them back, or"
              + " name another --output-dir.");
    }
    root.put(DATA, fingerprint);
  }

  void save() throws IOException {
    AtomicFiles.writeString(
        file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
  }

  /** What is left of a time, in seconds. */
  TimeBudget budget(double seconds) {
    return new TimeBudget(
        seconds, root.path("spent_s").asDouble(), root.path("trained_steps").asLong());
  }

  void spent(TimeBudget budget) {
    root.put("spent_s", budget.spent()).put("trained_steps", budget.steps());
  }

  Optional<RangeTest.Outcome> range() {
    JsonNode range = root.path(RANGE);
    if (range.isMissingNode()) {
      return Optional.empty();
    }
    List<Double> rates = new ArrayList<>();
    range.path("rates").forEach(r -> rates.add(r.asDouble()));
    return Optional.of(
        new RangeTest.Outcome(
            rates,
            Optional.of(range.path("untried")).filter(JsonNode::isNumber).map(JsonNode::asDouble),
            range.path("words").asText()));
  }

  void range(RangeTest.Outcome outcome) {
    ObjectNode range = root.putObject(RANGE);
    ArrayNode rates = range.putArray("rates");
    outcome.rates().forEach(rates::add);
    outcome.untried().ifPresent(rate -> range.put("untried", rate));
    range.put("words", outcome.words());
  }

  /** Empty before they were chosen. */
  List<Candidate> candidates() {
    List<Candidate> all = new ArrayList<>();
    for (JsonNode c : root.path(CANDIDATES)) {
      all.add(
          new Candidate(
              c.path("learning_rate").asDouble(),
              c.path("lora_rank").asInt(),
              c.path("lora_alpha").asDouble(),
              c.path("max_steps").asInt()));
    }
    return all;
  }

  void candidates(List<Candidate> all) {
    ArrayNode list = root.putArray(CANDIDATES);
    for (Candidate c : all) {
      list.addObject()
          .put("learning_rate", c.rate())
          .put("lora_rank", c.rank())
          .put("lora_alpha", c.alpha())
          .put("max_steps", c.steps());
    }
  }

  /** Folders of the runs that diverged. */
  Set<String> diverged() {
    Set<String> all = new LinkedHashSet<>();
    root.path(DIVERGED).forEach(name -> all.add(name.asText()));
    return all;
  }

  void diverged(String name) {
    root.withArray("/" + DIVERGED).add(name);
  }
}
