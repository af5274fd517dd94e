package org.loranative.board.runs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.track.TensorBoard;

class RunsTest {
  @TempDir private Path folder;

  /** A page that asks again and again, however the questions fall between the changes. */
  @Test
  void whoAsksOnMissesNoChange() throws Exception {
    try (TensorBoard run = new TensorBoard(folder.resolve("one/logs"), 1)) {
      for (int i = 1; i <= 2000; i++) {
        run.scalars(i, Map.of("Loss/train", 1.0 / i, "Loss/val", 2.0 / i));
      }
    }
    try (Runs runs = new Runs(List.of(folder))) {
      while (runs.find("one").isEmpty()) {
        Thread.sleep(20);
      }
      RunEntry entry = runs.find("one").get();
      AtomicReference<String> note = new AtomicReference<>("");
      AtomicBoolean over = new AtomicBoolean();
      Thread page =
          new Thread(
              () -> {
                long cursor = 1;
                while (!over.get()) {
                  JsonNode answer = runs.since(cursor);
                  cursor = answer.path("now").asLong();
                  answer.path("runs").forEach(r -> note.set(r.path("note").asText()));
                }
              });
      page.start();
      try {
        for (int i = 0; i < 200; i++) {
          String now = "note " + i;
          RunMarks.change(
              entry.place().folder(), new ObjectMapper().createObjectNode().put("note", now));
          runs.changed(entry);
          for (int wait = 0; wait < 100 && !note.get().equals(now); wait++) {
            Thread.sleep(1);
          }
          assertThat(note.get()).isEqualTo(now);
        }
      } finally {
        over.set(true);
        page.join();
      }
    }
  }
}
