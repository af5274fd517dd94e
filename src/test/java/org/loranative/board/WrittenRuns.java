package org.loranative.board;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.loranative.track.TensorBoard;

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
}
