package org.loranative.board.actions;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.board.runs.Runs;
import org.loranative.track.RunStatus;
import org.loranative.track.TensorBoard;
import org.loranative.web.LocalServer;

class WebhookTest {
  @TempDir private Path folder;
  private final List<JsonNode> told = new CopyOnWriteArrayList<>();

  private static void until(BooleanSupplier holds) throws InterruptedException {
    for (int i = 0; i < 1200 && !holds.getAsBoolean(); i++) {
      Thread.sleep(50);
    }
  }

  private JsonNode until(String run, String event) throws InterruptedException {
    Predicate<JsonNode> is =
        n -> n.path("run").asText().equals(run) && n.path("event").asText().equals(event);
    until(() -> told.stream().anyMatch(is));
    List<JsonNode> these = told.stream().filter(is).toList();
    assertThat(these).as("%s of %s among %s", event, run, told).hasSize(1);
    return these.get(0);
  }

  /** Runs that were over before are nobody's news. */
  @Test
  void tellsOfFindingsAndEnds() throws Exception {
    LocalServer hook =
        new LocalServer(
            "hook",
            "127.0.0.1",
            0,
            Optional.empty(),
            exchange -> {
              try (exchange) {
                told.add(new ObjectMapper().readTree(exchange.getRequestBody()));
                exchange.sendResponseHeaders(told.size() == 1 ? 500 : 204, -1); // is said, once
              }
            });
    hook.start();
    URI address = hook.address().resolve("hook");
    RunStatus status = RunStatus.ofThisProcess(900, 0);
    for (String name : List.of("diverges", "finishes", "stops", "over")) {
      Path logs = Files.createDirectories(folder.resolve(name).resolve("logs"));
      boolean over = name.equals("over");
      (over ? status.ended(RunStatus.State.FINISHED, "") : status).write(logs);
    }
    try (TensorBoard run = open("diverges");
        TensorBoard other = open("finishes");
        TensorBoard third = open("stops");
        TensorBoard fourth = open("over")) {
      for (TensorBoard t : List.of(run, other, third, fourth)) {
        points(t, 1, 100, 0);
      }
      try (Runs runs = new Runs(List.of(folder))) {
        Webhook webhook = new Webhook(address, runs);
        until(
            () ->
                runs.all().size() == 4
                    && Stream.of("diverges", "finishes", "stops").allMatch(webhook::watches));
        assertThat(told).isEmpty();
        points(run, 101, 400, 0.03);
        assertThat(until("diverges", "finding").path("text").asText()).contains("divergence");
        status.ended(RunStatus.State.FAILED, "no space").write(folder.resolve("diverges/logs"));
        status.ended(RunStatus.State.FINISHED, "").write(folder.resolve("finishes/logs"));
        status.ended(RunStatus.State.STOPPED, "").write(folder.resolve("stops/logs"));
        assertThat(until("diverges", "failed").path("text").asText())
            .isEqualTo("diverges has failed.");
        until("finishes", "finished");
        until("stops", "stopped");
        Thread.sleep(1500);
        assertThat(told.stream().map(n -> n.path("run").asText())).doesNotContain("over");
      }
    } finally {
      hook.close();
    }
  }

  private TensorBoard open(String name) throws java.io.IOException {
    TensorBoard run = new TensorBoard(folder.resolve(name).resolve("logs"), 1);
    run.hyperparameters(Map.of("task_type", "llm", "learning_rate", 1e-3), List.of());
    return run;
  }

  private static void points(TensorBoard run, int from, int to, double climb) {
    for (int i = from; i <= to; i++) {
      double loss = 1.4 + 3 * Math.exp(-i / 30.0) + 0.1 * Math.sin(i * i) + climb * (i - from);
      run.scalars(i, Map.of("Loss/train", loss, "grad_norm", 0.5));
    }
  }
}
