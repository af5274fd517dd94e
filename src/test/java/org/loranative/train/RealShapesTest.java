package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CudaDevice;
import org.loranative.gpucheck.RandomModel;
import org.loranative.testing.ChildJava;
import org.loranative.testing.TestDevices;

/**
 * The real launchers over whole steps of real models, written down instead of run ({@link
 * RecordLaunches}). The recording driver itself refuses launches beyond a card's limits, copies and
 * allocations while a plan is captured, and device addresses that lie nowhere or are no multiple of
 * 16.
 */
class RealShapesTest {
  /** Multiprocessors of a large card (RTX 4090 128, H100 132). */
  private static final int MULTIPROCESSORS = 128;

  /** An op that moves this much must keep all of them busy. */
  private static final long HOT_BYTES = 64 << 20;

  @TempDir Path folder;

  /**
   * A step.
   *
   * @param model of {@link RandomModel}
   * @param capability of the card
   * @param mostKernels that a step may launch
   */
  private record Step(String model, int capability, long mostKernels, List<String> settings) {
    @Override
    public String toString() {
      return model + " " + settings + " on sm_" + capability;
    }
  }

  private static final List<String> TEXT =
      List.of("data_format=text", "batch_size=2", "max_length=2048");
  private static final List<String> QUANTIZED =
      Stream.concat(TEXT.stream(), Stream.of("quantize=nf4")).toList();

  /** Embedding and head have 1.2 thousand million numbers, more than an array can hold as bytes. */
  private static List<String> trainedWhole(String optimizer) {
    return Stream.concat(
            QUANTIZED.stream(),
            Stream.of("modules_to_save=[embed_tokens, lm_head]", "optimizer=" + optimizer))
        .toList();
  }

  /** One of each kind of model; each takes five seconds and more. */
  static Stream<Step> few() {
    return Stream.of(
        new Step("llama-8b", 90, 2750, QUANTIZED),
        new Step("sd15", 89, 1950, List.of("task_type=sd", "batch_size=4", "resolution=512")));
  }

  static Stream<Step> others() {
    return Stream.of(
        new Step("llama-8b", 89, 1950, TEXT),
        new Step("gemma3-1b", 90, 1850, TEXT),
        new Step("gemma4-e4b", 90, 4150, TEXT),
        new Step("gemma4-31b", 89, 8250, QUANTIZED),
        new Step("gemma4-26b-a4b", 90, 3900, QUANTIZED),
        new Step("qwen3-0.6b", 86, 1800, TEXT),
        new Step("qwen3.5-4b", 90, 2500, TEXT),
        new Step("qwen3-30b-a3b", 89, 3150, QUANTIZED),
        new Step("qwen3-8b", 90, 9000, trainedWhole("adamw")),
        new Step("qwen3-8b", 89, 9000, trainedWhole("adamw8bit")),
        new Step(
            "gpt-oss-20b",
            90,
            1450,
            Stream.concat(TEXT.stream(), Stream.of("quantize=keep")).toList()),
        new Step("sdxl", 86, 5950, List.of("task_type=sd", "batch_size=1", "resolution=1024")),
        new Step(
            "sd35-medium", 89, 3600, List.of("task_type=sd", "batch_size=1", "resolution=1024")),
        new Step(
            "sd35-large",
            90,
            6100,
            List.of("task_type=sd", "batch_size=1", "resolution=1024", "quantize=nf4")),
        new Step(
            "flux-dev",
            89,
            5400,
            List.of("task_type=sd", "batch_size=1", "resolution=1024", "quantize=nf4")),
        new Step(
            "zimage-turbo", 89, 2500, List.of("task_type=sd", "batch_size=1", "resolution=1024")),
        new Step(
            "chroma",
            90,
            5950,
            List.of("task_type=sd", "batch_size=1", "resolution=1024", "quantize=nf4")));
  }

  private record Launch(String plan, String op, long bytes, String kernel, long blocks) {
    static Launch of(String line) {
      String[] f = line.split(",");
      long blocks = Long.parseLong(f[5]) * Long.parseLong(f[6]) * Long.parseLong(f[7]);
      return new Launch(f[0], f[1] + " " + f[2], Long.parseLong(f[3]), f[4], blocks);
    }

    boolean isCaptured() {
      return op.startsWith("-1");
    }
  }

  @ParameterizedTest
  @MethodSource("few")
  void fitACard(Step step) throws Exception {
    check(step);
  }

  @Tag("slow")
  @ParameterizedTest
  @MethodSource("others")
  void othersFitACard(Step step) throws Exception {
    check(step);
  }

  private void check(Step step) throws Exception {
    List<Launch> launches = record(step);
    List<Launch> each = launches.stream().filter(l -> !l.isCaptured()).toList();
    Map<String, Long> captured = count(launches.stream().filter(Launch::isCaptured));
    assertThat(captured).as("a graph holds what op by op runs").isEqualTo(count(each.stream()));
    assertThat(captured.get("step")).isLessThanOrEqualTo(step.mostKernels());
    assertThat(captured.get("update")).isLessThan(20);
    assertThat(idle(each)).as("ops of 64 MiB or more that leave most of a card idle").isEmpty();
  }

  private static Map<String, Long> count(Stream<Launch> launches) {
    return launches.collect(Collectors.groupingBy(Launch::plan, Collectors.counting()));
  }

  /** Ops whose every launch has fewer blocks than a card has multiprocessors. */
  private static List<String> idle(List<Launch> launches) {
    Map<String, List<Launch>> byOp = new LinkedHashMap<>();
    launches.stream()
        .filter(l -> l.bytes() >= HOT_BYTES)
        .forEach(l -> byOp.computeIfAbsent(l.plan() + l.op(), o -> new ArrayList<>()).add(l));
    return byOp.values().stream()
        .filter(ls -> ls.stream().allMatch(l -> l.blocks() < MULTIPROCESSORS))
        .map(Object::toString)
        .toList();
  }

  private List<Launch> record(Step step) throws IOException, InterruptedException {
    Path model = folder.resolve("model");
    RandomModel.main(new String[] {step.model(), model.toString()});
    boolean images = step.settings().contains("task_type=sd");
    Path out = folder.resolve("launches.csv");
    List<String> command =
        ChildJava.command(
            List.of("-Xmx2g"),
            RecordLaunches.class.getName(),
            out.toString(),
            "base_model=" + model,
            "output_dir=" + folder.resolve("out"),
            "metadata_path=" + model.resolve(images ? "images" : "data.jsonl"),
            "device=cuda-emu",
            "compute_dtype=bf16",
            "lora_rank=16");
    command.addAll(step.settings());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put(CudaDevice.EMULATOR, TestDevices.emulator());
    builder.environment().put("LN_EMU_RECORD", folder.resolve("record.csv").toString());
    builder.environment().put("LN_EMU_MEMORY", String.valueOf(80L << 30));
    builder.environment().put("LN_EMU_CAPABILITY", String.valueOf(step.capability()));
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(output).isZero();
    try (Stream<String> lines = Files.lines(out)) {
      return lines.skip(1).map(Launch::of).toList();
    }
  }
}
