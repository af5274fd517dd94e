package org.loranative.gpucheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
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
    Path images = DiffusionFolder.images(folder.resolve("images"), 2, 64);
    Training run =
        new Training(
            Map.of(
                "task_type", "sd",
                "base_model", base.toString(),
                "metadata_path", images.toString(),
                "cache_encodings", "false",
                "resolution", "64",
                "batch_size", "2",
                "max_steps", "1",
                "learning_rate", "0.003"));
    double expected = loss(run.with("device", "cpu").with("compute_dtype", "f32"), "cpu");
    double actual = loss(run.with("device", "cuda-emu").with("compute_dtype", "bf16"), "card");
    assertThat(actual).isCloseTo(expected, within(5e-3 * expected));
  }

  private double loss(Training run, String name) throws IOException, InterruptedException {
    Training.Result result = run.run(folder.resolve(name), 300, TestDevices.emulator());
    assertThat(result.child().code()).as(result.child().output()).isZero();
    assertThat(result.losses()).hasSize(1);
    return result.losses().get(0);
  }
}
