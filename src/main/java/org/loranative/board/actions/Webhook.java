package org.loranative.board.actions;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.loranative.board.runs.RunEntry;
import org.loranative.board.runs.Runs;
import org.loranative.diagnose.Finding;
import org.loranative.track.RunStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells an address when a run that was seen running ends, and what the doctor finds of it
 * meanwhile: a POST of JSON with {@code run}, {@code event} and {@code text}, which chat tools
 * show.
 */
public final class Webhook {
  private static final Logger log = LoggerFactory.getLogger(Webhook.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  private final URI address;
  private final Runs runs;
  private final Map<String, RunStatus.State> states = new HashMap<>();
  private final Map<String, Set<String>> told = new HashMap<>();

  public Webhook(URI address, Runs runs) {
    this.address = address;
    this.runs = runs;
    runs.onChange(this::look);
    look(); // at what was read before
  }

  /** Whether it saw the run running, and so tells what is found of it from now on. */
  synchronized boolean watches(String run) {
    return states.get(run) == RunStatus.State.RUNNING;
  }

  /** Compares with what was told; called on the reading thread too. */
  private synchronized void look() {
    for (RunEntry run : runs.all()) {
      RunStatus.State now = run.state();
      RunStatus.State before = states.put(run.name(), now);
      boolean ran = before == RunStatus.State.RUNNING;
      if (ran && now != RunStatus.State.RUNNING) {
        post(run.name(), now.label, run.name() + " has " + verb(now) + ".");
      }
      if (now == RunStatus.State.RUNNING || ran) {
        findings(run, before != null);
      }
    }
  }

  private void findings(RunEntry run, boolean tell) {
    Set<String> known = told.computeIfAbsent(run.name(), n -> new HashSet<>());
    for (Finding f : run.findings()) {
      boolean bad =
          f.symptom().severity == Finding.Severity.WARNING
              || f.symptom().severity == Finding.Severity.ERROR;
      if (bad && known.add(f.symptom().name()) && tell) {
        post(run.name(), "finding", run.name() + ": " + f);
      }
    }
  }

  private static String verb(RunStatus.State state) {
    return switch (state) {
      case FINISHED -> "finished";
      case FAILED -> "failed";
      case STOPPED -> "been stopped";
      default -> "ended";
    };
  }

  private void post(String run, String event, String text) {
    ObjectNode body = JSON.createObjectNode().put("run", run).put("event", event).put("text", text);
    HttpRequest request =
        HttpRequest.newBuilder(address)
            .timeout(PATIENCE)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
            .build();
    var unused =
        client
            .sendAsync(request, HttpResponse.BodyHandlers.discarding())
            .whenComplete(
                (response, e) -> {
                  if (e != null || response.statusCode() >= 400) {
                    log.warn(
                        "The webhook did not take \"{}\" ({}).",
                        text,
                        e == null ? "status " + response.statusCode() : e.getMessage());
                  }
                });
  }
}
