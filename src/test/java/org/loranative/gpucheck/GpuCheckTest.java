package org.loranative.gpucheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.ChildJava;
import org.loranative.testing.TestDevices;

/**
 * {@code benchmarks/gpu_check} on the emulated card at toy size, where Python is installed; its
 * stages of single kernels only where that has numpy.
 */
class GpuCheckTest {
  @TempDir private Path folder;

  @BeforeAll
  static void needsPython() throws InterruptedException {
    assumeTrue(python("print()"), "python3 is not installed");
  }

  private static boolean python(String code) throws InterruptedException {
    try {
      return new ProcessBuilder("python3", "-c", code).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private record Ended(int code, String output) {}

  private Ended check(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("python3", "benchmarks/gpu_check"));
    command.addAll(List.of("--size", "toy", "--driver", TestDevices.emulator()));
    command.addAll(List.of("--out", folder.toString(), "--work", folder.resolve("work") + ""));
    command.addAll(List.of("--java", ChildJava.program()));
    command.addAll(List.of("--class-path", System.getProperty("java.class.path")));
    command.addAll(List.of("--jobs", "2"));
    command.addAll(List.of(arguments));
    Path log = folder.resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("JDK_JAVA_OPTIONS", String.join(" ", ChildJava.SHORT_LIFE));
    builder.environment().putAll(environment);
    Process process = builder.start();
    boolean ended = process.waitFor(600, TimeUnit.SECONDS);
    process.destroyForcibly();
    String output = Files.readString(log, StandardCharsets.UTF_8);
    assertThat(ended).as(output).isTrue();
    return new Ended(process.exitValue(), output);
  }

  /** The results by stage and case. */
  private Map<String, JsonNode> results() throws IOException {
    Map<String, JsonNode> results = new TreeMap<>();
    for (String line : Files.readAllLines(folder.resolve("gpu-check.jsonl"))) {
      JsonNode result = new ObjectMapper().readTree(line);
      results.put(result.path("stage").asText() + ": " + result.path("case").asText(), result);
    }
    return results;
  }

  @Test
  @Tag("slow")
  void everyStageGivesItsResults() throws IOException, InterruptedException {
    Ended ended = check(Map.of(), "tests", "training", "kernels", "steps");
    assertThat(ended.code()).as(ended.output()).isZero();
    Map<String, JsonNode> results = results();
    assertThat(results.values()).allSatisfy(r -> assertThat(r.path("ok").asBoolean()).isTrue());
    assertThat(results.get("tests: CudaEmulatorLossAndOptimizerTest").path("run").asInt())
        .isGreaterThan(10);
    assertThat(results)
        .containsKeys(
            "training: as on the CPU: llama bf16",
            "training: as on the CPU: sd f32",
            "training: twice: llama",
            "training: killed and resumed: llama");
    JsonNode product = results.get("kernels: ours linear,BF16,128,64,64").path("ops");
    assertThat(product.path("lora_linear_backward").path("ms").asDouble()).isPositive();
    assertThat(results.get("steps: ours qwen3-toy bf16").path("per_s").asDouble()).isPositive();
    assertThat(results.get("steps: ours sd-toy bf16").path("planned").asText()).endsWith("MB");

    // What has a result is not run again.
    long before = Files.size(folder.resolve("gpu-check.jsonl"));
    assertThat(check(Map.of(), "tests", "training", "kernels", "steps").code()).isZero();
    assertThat(Files.size(folder.resolve("gpu-check.jsonl"))).isEqualTo(before);
  }

  @Tag("slow")
  @Test
  void aFaultInOneKernelFailsItsTestsAloneAndIsNamed() throws IOException, InterruptedException {
    Ended ended = check(Map.of("LN_EMU_FAIL", "row_loss_f32"), "tests");
    assertThat(ended.code()).as(ended.output()).isEqualTo(1);
    List<JsonNode> failed = new ArrayList<>();
    int passed = 0;
    for (JsonNode result : results().values()) {
      if (result.path("case").asText().endsWith(", alone")) {
        passed += result.path("ok").asBoolean() ? 1 : 0;
        if (!result.path("ok").asBoolean()) {
          failed.add(result);
        }
      }
    }
    assertThat(passed).as("echoes of the fault, alone").isPositive();
    assertThat(failed).isNotEmpty();
    assertThat(failed)
        .allSatisfy(
            r -> assertThat(r.path("why").asText()).contains("the kernel row_loss_f32 failed"));
  }

  /** On an emulated H100, so that launches.py cannot drift from the launchers. */
  @Test
  void eachKernelAlonePasses() throws IOException, InterruptedException {
    assumeTrue(python("import numpy"), "numpy is not installed");
    Ended ended = check(Map.of("LN_EMU_CAPABILITY", "90"), "smoke");
    assertThat(ended.code()).as(ended.output()).isZero();
    assertThat(results()).hasSizeGreaterThan(60);
  }

  @Test
  void aFaultInOneKernelFailsItsCaseOfTheSmokeTestAlone() throws IOException, InterruptedException {
    assumeTrue(python("import numpy"), "numpy is not installed");
    Map<String, String> fault = Map.of("LN_EMU_FAIL", "tensor_gemm_nt_tall_bf16");
    assertThat(check(fault, "smoke").code()).isEqualTo(1);
    List<String> failed = new ArrayList<>();
    results()
        .values()
        .forEach(
            r -> {
              if (!r.path("ok").asBoolean()) {
                failed.add(r.path("case").asText());
                assertThat(r.path("why").asText()).contains("illegal memory access");
              }
            });
    assertThat(failed).containsExactlyInAnyOrder("gemm_nt_tall", "gemm_nt_tall_low_bias_add");
    assertThat(results()).hasSizeGreaterThan(40);
  }

  @Test
  void saysWhatAMachineCannotShow() throws IOException, InterruptedException {
    Ended ended = check(Map.of(), "profile");
    assertThat(ended.code()).as(ended.output()).isZero();
    assertThat(results().get("profile: counters").path("skipped").asText())
        .startsWith("no counters: ");
    assertThat(ended.output()).contains("skipped: no counters: ");
  }

  @Test
  void endsInTimeAndRunsNothingThatHasNoTime() throws IOException, InterruptedException {
    Ended ended = check(Map.of(), "--seconds", "6", "tests");
    assertThat(ended.code()).isEqualTo(1); // nothing was tested: no success
    assertThat(ended.output()).contains("NO TIME for 1 of its cases");
    assertThat(folder.resolve("gpu-check.jsonl")).doesNotExist();
    // A case that is ended with the time has no result either, so that another call runs it.
    Path slow = Files.writeString(folder.resolve("slow"), "#!/bin/sh\nsleep 100\n");
    assertThat(slow.toFile().setExecutable(true)).isTrue();
    Ended cut = check(Map.of(), "--java", slow.toString(), "--seconds", "9", "tests");
    assertThat(cut.code()).isEqualTo(1);
    assertThat(cut.output()).contains("NO TIME for 1 of its cases");
    assertThat(folder.resolve("gpu-check.jsonl")).doesNotExist();
  }
}
