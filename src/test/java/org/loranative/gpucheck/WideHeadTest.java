package org.loranative.gpucheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.TestDevices;

/** Images pass through an autoencoder whose one head has 512 channels, on the card too. */
class WideHeadTest {
  @TempDir private Path folder;

  @Test
  void trainsAsOnTheCpu() throws IOException, InterruptedException {
    Path base =
        new DiffusionFolder(new RandomModel(false, 4 << 20), DiffusionShapes.TOY_WIDE)
            .write(folder.resolve("base"));
    Path images = DiffusionFolder.images(folder.resolve("images"), 1, 64);
    Training run =
        new Training(
            Map.of(
                "task_type", "sd",
                "base_model", base.toString(),
                "metadata_path", images.toString(),
                "cache_encodings", "false",
                "resolution", "64",
                "max_steps", "2",
                "learning_rate", "0.003"));
    List<Double> expected = losses(run.with("device", "cpu").with("compute_dtype", "f32"), "cpu");
    Training card = run.with("device", "cuda-emu");
    List<Double> f32 = losses(card.with("compute_dtype", "f32"), "f32");
    List<Double> bf16 = losses(card.with("compute_dtype", "bf16"), "bf16");
    for (int i = 0; i < expected.size(); i++) {
      assertThat(f32.get(i)).isCloseTo(expected.get(i), within(1e-4 * expected.get(i)));
      assertThat(bf16.get(i)).isCloseTo(expected.get(i), within(2e-2 * expected.get(i)));
    }
  }

  private List<Double> losses(Training run, String name) throws IOException, InterruptedException {
    Training.Result result = run.run(folder.resolve(name), 300, TestDevices.emulator());
    assertThat(result.child().code()).as(result.child().output()).isZero();
    assertThat(result.losses()).hasSize(2);
    return result.losses();
  }
}
