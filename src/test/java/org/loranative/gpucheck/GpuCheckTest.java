package org.loranative.gpucheck;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.TestDevices;

/** The check of a card, on the emulated one at toy size. */
class GpuCheckTest {
  @TempDir private Path folder;

  private Child check(String seconds, Path result) throws IOException, InterruptedException {
    List<String> command =
        Child.java(
            "org.loranative.gpucheck.GpuCheck",
            "toy",
            TestDevices.emulator(),
            seconds,
            result.toString());
    return Child.run(command, 300, TestDevices.emulator());
  }

  @Test
  void everyStageGivesItsResult() throws IOException, InterruptedException {
    Path file = folder.resolve("result.json");
    Child child = check("280", file);
    assertThat(child.code()).as(child.output()).isZero();
    JsonNode result = new ObjectMapper().readTree(file.toFile());
    assertThat(result.path("card").asText()).startsWith("emulated card");
    assertThat(result.path("parity")).hasSize(2);
    for (JsonNode run : result.path("parity")) {
      assertThat(run.path("agrees").asBoolean()).as(run.toString()).isTrue();
      assertThat(run.path("losses")).hasSizeGreaterThan(1);
    }
    assertThat(result.path("tests").path("run").asInt()).isGreaterThan(10);
    assertThat(result.path("tests").path("failures")).isEmpty();
    List<String> ops = new ArrayList<>();
    for (JsonNode kernel : result.path("kernels")) {
      ops.add(kernel.path("op").asText());
      assertThat(kernel.path("tflops").asDouble()).as(kernel.toString()).isPositive();
    }
    assertThat(ops)
        .contains("linear", "lora_linear", "lora_linear_backward", "conv2d", "conv2d_backward")
        .contains("attention", "attention_backward");
    for (JsonNode step : result.path("steps")) {
      assertThat(step.path("per_s").asDouble()).as(step.toString()).isPositive();
      assertThat(step.path("planned").asText()).endsWith("MB");
      assertThat(step.has("torch")).as(step.toString()).isTrue();
    }
    assertThat(result.path("steps")).hasSize(2);
  }

  @Test
  void endsInTimeAndSaysWhatItLeftOut() throws IOException, InterruptedException {
    Path file = folder.resolve("result.json");
    Child child = check("6", file);
    assertThat(child.code()).isEqualTo(1); // nothing was tested: no success
    assertThat(child.seconds()).isLessThan(30);
    assertThat(new ObjectMapper().readTree(file.toFile()).path("tests_failed").asText())
        .isEqualTo("no time left");
  }
}
