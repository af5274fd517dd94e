package org.loranative.board.actions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.loranative.UserException;
import org.loranative.board.http.Refused;
import org.loranative.board.runs.RunEntry;
import org.loranative.board.runs.RunMarks;
import org.loranative.board.runs.Runs;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.track.RunRequests;
import org.loranative.track.RunStatus;

/** What may be done from the page; who may is {@link org.loranative.board.http.Admission}'s. */
public final class Actions implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Runs runs;
  private final Queue queue;
  private final boolean readOnly;

  /**
   * @param readOnly nothing is done, not even notes are written
   * @param changed is called when the queue is another one
   */
  public Actions(Runs runs, boolean readOnly, Runnable changed) {
    this.runs = runs;
    this.readOnly = readOnly;
    queue = new Queue(runs.roots().get(0), changed);
    if (!readOnly) {
      queue.takeUp();
    }
  }

  public boolean isReadOnly() {
    return readOnly;
  }

  public JsonNode form() {
    return SettingsForm.fields();
  }

  public JsonNode jobs() {
    if (!readOnly) {
      queue.takeUp(); // the board that kept it may have ended
    }
    return queue.describe();
  }

  /** Does what a request names. */
  public JsonNode act(String what, JsonNode body) throws IOException {
    if (readOnly) {
      throw new Refused(403, "This board was started with --read-only.");
    }
    return switch (what) {
      case "check" -> check(body);
      case "start" -> start(body);
      case "resume" -> resume(find(body));
      case "ask" -> ask(find(body), body.path("what").asText());
      case "cancel" -> {
        queue.cancel(body.path("id").asLong());
        yield done("It is taken out of the queue.");
      }
      case "marks" -> {
        RunEntry run = find(body);
        RunMarks.change(run.place().folder(), body);
        runs.changed(run);
        yield done("");
      }
      default -> throw Refused.notThere("there is no action " + what);
    };
  }

  private RunEntry find(JsonNode body) {
    return runs.find(body.path("run").asText())
        .orElseThrow(() -> Refused.notThere("there is no such run"));
  }

  private static ObjectNode done(String sentence) {
    return JSON.createObjectNode().put("said", sentence);
  }

  private static JsonNode check(JsonNode body) {
    ObjectNode answer = JSON.createObjectNode();
    SettingsForm.problem(body.path("settings")).ifPresent(p -> answer.put("problem", p));
    return answer;
  }

  private JsonNode start(JsonNode body) throws IOException {
    TrainConfig config;
    try {
      config = SettingsForm.read(body.path("settings"));
    } catch (UserException e) {
      throw new Refused(400, e.getMessage().replaceFirst("^--set ", ""));
    }
    Path output = Path.of(config.outputDir());
    if (Files.exists(output.resolve("config.yaml"))) {
      throw new Refused(
          409, "output_dir " + output + " already holds a run; name another, or resume that one.");
    }
    String name = String.valueOf(output.getFileName());
    Path file = queue.file("config.yaml", ConfigReader.toYaml(config));
    queue.add(name, output, List.of("train", "--config", file.toString()));
    return done(name + " is in the queue; it appears among the runs once it trains.");
  }

  private JsonNode resume(RunEntry run) {
    if (!run.place().isOurs()) {
      throw new Refused(409, run.name() + " is another tool's run; only that can resume it.");
    }
    if (run.state() == RunStatus.State.RUNNING) {
      throw new Refused(409, run.name() + " is running.");
    }
    Path folder = run.place().folder();
    queue.add(
        run.name(),
        folder,
        List.of(
            "train",
            "--config",
            run.place().config().toString(),
            "--set",
            ConfigReader.override("output_dir", folder.toString()),
            "--resume"));
    return done(run.name() + " is in the queue, to go on from its newest checkpoint.");
  }

  private JsonNode ask(RunEntry run, String what) throws IOException {
    RunRequests.Request request;
    try {
      request = RunRequests.Request.valueOf(what.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw Refused.notThere("nothing called " + what + " can be asked of a run");
    }
    if (!run.place().isOurs()) {
      throw new Refused(409, run.name() + " is another tool's run, which cannot be asked.");
    }
    if (run.state() != RunStatus.State.RUNNING) {
      throw new Refused(409, run.name() + " is not running.");
    }
    new RunRequests(run.place().folder()).ask(request);
    return done(
        switch (request) {
          case STOP -> run.name() + " stops after its step and leaves a checkpoint.";
          case SAVE -> run.name() + " writes a checkpoint after its step.";
          case SAMPLE -> run.name() + " writes previews after its step.";
        });
  }

  @Override
  public void close() {
    queue.close();
  }
}
