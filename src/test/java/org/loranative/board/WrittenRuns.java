package org.loranative.board;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.loranative.track.TensorBoard;
import org.loranative.track.proto.Event;
import org.loranative.track.proto.Summary;

/** Runs that look like real ones, for the tests of the page. */
final class WrittenRuns {
  private WrittenRuns() {}

  /** A run of a language model that learns, one whose validation loss turns, one that diverges. */
  static TensorBoard run(Path folder, String name, int steps, String kind) throws IOException {
    TensorBoard run = new TensorBoard(folder.resolve(name).resolve("logs"), 1);
    double rate = kind.equals("diverges") ? 0.01 : 5e-4;
    run.hyperparameters(
        Map.of(
            "learning_rate",
            rate,
            "lora_rank",
            kind.equals("overfits") ? 64 : 8,
            "task_type",
            "llm"),
        List.of());
    points(run, 1, steps, kind);
    run.text(1, "config", "| key | value |\n|---|---|\n| lora_rank | 8 |\n");
    run.text(steps, "samples/1", "**Short code of 🐙?**\n\n:octopus:");
    return run;
  }

  static void points(TensorBoard run, int from, int to, String kind) {
    Random random = new Random(kind.hashCode() + from);
    for (int i = from; i <= to; i++) {
      double loss = 1.4 + 3 * Math.exp(-i / 60.0) + 0.15 * random.nextGaussian();
      if (kind.equals("diverges") && i > 200) {
        loss += (i - 200) * 0.03;
      }
      Map<String, Double> scalars = new TreeMap<>();
      scalars.put("Loss/train", kind.equals("overfits") ? loss - i * 0.002 : loss);
      scalars.put("lr", 5e-4 * (1 - i / 500.0));
      scalars.put("grad_norm", 0.5 + 0.05 * random.nextGaussian());
      scalars.put("perf/tokens_per_s", 1000 + 20 * random.nextGaussian());
      if (i % 20 == 0) {
        double turn =
            switch (kind) {
              case "overfits" -> Math.max(0, i - 120) * 0.003;
              case "diverges" -> Math.max(0, i - 200) * 0.03;
              default -> 0;
            };
        scalars.put("Loss/val", 1.6 + 3 * Math.exp(-i / 60.0) + turn);
      }
      run.scalars(i, scalars);
    }
  }

  /**
   * A session of a run that trains a step in six minutes: its losses fall by 0.1 from 10, and
   * validation has what training has at every tenth step.
   *
   * @param wall when it begins, in seconds since 1970
   */
  static void session(Path folder, String name, long wall, int from, int to) throws IOException {
    List<Event> events = new ArrayList<>();
    events.add(Event.newBuilder().setWallTime(wall).setFileVersion("brain.Event:2").build());
    for (int step = from; step <= to; step++) {
      Summary.Builder summary = Summary.newBuilder();
      for (String tag : List.of("Loss/train", "Loss/val", "perf/tokens_per_s", "perf/step_ms")) {
        float value = tag.startsWith("Loss") ? 10 - step / 10f : tag.endsWith("ms") ? 360_000 : 100;
        if (!tag.equals("Loss/val") || step % 10 == 0) {
          summary.addValue(Summary.Value.newBuilder().setTag(tag).setSimpleValue(value));
        }
      }
      double at = wall + 360.0 * (step - from + 1);
      events.add(Event.newBuilder().setWallTime(at).setStep(step).setSummary(summary).build());
    }
    Path logs = Files.createDirectories(folder.resolve(name).resolve("logs"));
    try (OutputStream out =
        Files.newOutputStream(logs.resolve("events.out.tfevents." + wall + ".1.x"))) {
      for (Event event : events) {
        byte[] data = event.toByteArray();
        byte[] length = little(8).putLong(data.length).array();
        out.write(length);
        out.write(little(4).putInt(masked(length)).array());
        out.write(data);
        out.write(little(4).putInt(masked(data)).array());
      }
    }
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
  }
}
