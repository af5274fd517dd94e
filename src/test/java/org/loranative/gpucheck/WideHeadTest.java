package org.loranative.gpucheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.device.CudaDevice;
import org.loranative.testing.ChildJava;
import org.loranative.testing.TestDevices;

/** Images pass through an autoencoder whose one head has 512 channels, on the card too. */
class WideHeadTest {
  @TempDir private Path folder;

  @Test
  @Tag("slow")
  void trainsAsOnTheCpu() throws IOException, InterruptedException {
    Path base =
        new DiffusionFolder(new RandomModel(false, 4 << 20), DiffusionShapes.TOY_WIDE)
            .write(folder.resolve("base"));
    Path images = DiffusionFolder.images(folder.resolve("images"), 2, 64);
    double expected = loss(base, images, "cpu", "f32");
    double actual = loss(base, images, "cuda-emu", "bf16");
    assertThat(actual).isCloseTo(expected, within(5e-3 * expected));
  }

  /** Of the only step of a run in a process of its own. */
  private double loss(Path base, Path images, String device, String compute)
      throws IOException, InterruptedException {
    Path out = folder.resolve(device);
    ProcessBuilder run =
        new ProcessBuilder(
                ChildJava.command(
                    List.of(),
                    "org.loranative.cli.Main",
                    "train",
                    "--set=task_type=sd",
                    "--set=base_model=" + base,
                    "--set=metadata_path=" + images,
                    "--set=cache_encodings=false",
                    "--set=resolution=64",
                    "--set=batch_size=2",
                    "--set=max_steps=1",
                    "--set=learning_rate=0.003",
                    "--set=device=" + device,
                    "--set=compute_dtype=" + compute,
                    "--set=output_dir=" + out))
            .redirectErrorStream(true);
    run.environment().put(CudaDevice.EMULATOR, TestDevices.emulator());
    Process process = run.start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(output).isZero();
    List<String> steps = Files.readAllLines(out.resolve("logs/metrics.jsonl"));
    return new ObjectMapper().readTree(steps.get(0)).path("loss").asDouble();
  }
}
