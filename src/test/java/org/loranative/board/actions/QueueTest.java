package org.loranative.board.actions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.board.http.Refused;
import org.loranative.track.RunStatus;

/** The queue, with shell commands in place of runs. */
class QueueTest {
  @TempDir private Path folder;

  private Queue open() {
    Queue queue = new Queue(folder, () -> {}, a -> new ProcessBuilder("sh", "-c", a.get(0)));
    queue.takeUp();
    return queue;
  }

  private static List<String> states(Queue queue) {
    return queue.describe().findValuesAsText("state");
  }

  private static void until(BooleanSupplier done) throws InterruptedException {
    for (int i = 0; i < 200 && !done.getAsBoolean(); i++) {
      Thread.sleep(50);
    }
    assertThat(done.getAsBoolean()).isTrue();
  }

  /** What a job does: notes that it began, and waits until it may go on. */
  private String job(String name) {
    return String.format(
        "cd '%s'; echo %s >> began; while [ ! -e go-%s ]; do sleep 0.05; done", folder, name, name);
  }

  private void go(String name) throws IOException {
    Files.createFile(folder.resolve("go-" + name));
  }

  private List<String> began() {
    try {
      Path file = folder.resolve("began");
      return Files.exists(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void add(Queue queue, String name, String command) {
    queue.add(name, folder.resolve(name), List.of(command));
  }

  @Test
  void runsOneAfterTheOther() throws Exception {
    try (Queue queue = open()) {
      add(queue, "a", job("a") + "; exit 130");
      add(queue, "b", "echo went wrong; exit 3");
      add(queue, "c", job("c"));
      add(queue, "d", job("d"));
      until(() -> began().equals(List.of("a")));
      assertThat(states(queue)).containsExactly("running", "waiting", "waiting", "waiting");
      JsonNode all = queue.describe();
      queue.cancel(all.get(3).path("id").asLong());
      assertThatThrownBy(() -> queue.cancel(all.get(0).path("id").asLong()))
          .isInstanceOf(Refused.class)
          .hasMessageContaining("running");
      assertThatThrownBy(() -> add(queue, "c", "true")).hasMessageContaining("already");
      go("a");
      until(() -> began().equals(List.of("a", "c")));
      assertThat(states(queue)).containsExactly("stopped", "failed", "running", "cancelled");
      assertThat(queue.describe().get(1).path("exit").asInt()).isEqualTo(3);
      assertThat(queue.describe().get(1).path("output").asText()).isEqualTo("went wrong");
      go("c");
      until(() -> states(queue).get(2).equals("finished"));
    }
  }

  /** What runs goes on without the board; what waits is begun by the next one, once. */
  @Test
  void outlivesTheBoard() throws Exception {
    try (Queue queue = open()) {
      add(queue, "a", job("a"));
      add(queue, "b", job("b"));
      add(queue, "c", job("c"));
      until(() -> began().equals(List.of("a")));
    }
    try (Queue queue = open()) {
      assertThat(states(queue)).containsExactly("running", "waiting", "waiting");
      Thread.sleep(300);
      assertThat(began()).as("none is begun beside the one that runs").containsExactly("a");
      ProcessHandle process = child();
      new RunStatus(RunStatus.State.FINISHED, process.pid(), "", 0, 1, 0, "").write(logs("a"));
      go("a");
      until(() -> began().equals(List.of("a", "b")));
      assertThat(states(queue)).containsExactly("finished", "running", "waiting");
    }
    // This one ends while no board looks, and does not say how.
    go("b");
    until(() -> ProcessHandle.current().children().findAny().isEmpty());
    try (Queue queue = open()) {
      until(() -> began().equals(List.of("a", "b", "c")));
      assertThat(states(queue)).containsExactly("finished", "failed", "running");
      go("c");
      until(() -> states(queue).get(2).equals("finished"));
    }
  }

  private static ProcessHandle child() {
    return ProcessHandle.current()
        .children()
        .filter(p -> p.info().command().orElse("").contains("sh"))
        .findFirst()
        .orElseThrow();
  }

  private Path logs(String run) throws IOException {
    return Files.createDirectories(folder.resolve(run).resolve("logs"));
  }

  /** Two boards on one folder do not start a run twice; the second takes over when asked later. */
  @Test
  void isKeptByOneBoard() throws Exception {
    Queue first = open();
    add(first, "a", job("a"));
    add(first, "b", job("b"));
    try (Queue second = open()) {
      assertThat(states(second)).containsExactly("running", "waiting");
      assertThatThrownBy(() -> add(second, "c", "true")).hasMessageContaining("Another board");
      first.close();
      second.takeUp();
      go("a");
      until(() -> began().equals(List.of("a", "b")));
      go("b");
      until(() -> states(second).get(1).equals("finished"));
    } finally {
      first.close();
    }
  }

  @Test
  void aDamagedFileIsSetAside() throws Exception {
    Path file = folder.resolve(".board/queue.json");
    Files.createDirectories(file.getParent());
    Files.writeString(file, "[{\"title\": \"a");
    try (Queue queue = open()) {
      assertThat(queue.describe()).isEmpty();
      add(queue, "a", "true");
      until(() -> states(queue).equals(List.of("finished")));
    }
    assertThat(folder.resolve(".board/queue.json.unreadable")).hasContent("[{\"title\": \"a");
  }
}
