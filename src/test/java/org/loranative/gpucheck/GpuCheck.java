package org.loranative.gpucheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.device.CudaDevice;
import org.loranative.gpucheck.RandomModel.Llama;

/**
 * Everything that only a card can show, in order and within a limit: the tests of ops and models,
 * training beside the CPU's losses, kernels and whole steps beside torch. One JSON file, rewritten
 * after each stage, and a table. Arguments: {@code toy|full DRIVER SECONDS RESULT.json}.
 */
public final class GpuCheck {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path PEERS = Path.of("benchmarks/gpu_peers.py");

  private final boolean toy;
  private final String driver;
  private final long deadline;
  private final Path file;
  private final Path work;
  private final ObjectNode result = JSON.createObjectNode();

  private GpuCheck(boolean toy, String driver, double seconds, Path file) throws IOException {
    this.toy = toy;
    this.driver = driver;
    this.deadline = System.nanoTime() + (long) (seconds * 1e9);
    this.file = file;
    this.work = Files.createTempDirectory("gpu-check");
  }

  public static void main(String[] args) throws Exception {
    GpuCheck check =
        new GpuCheck(args[0].equals("toy"), args[1], Double.parseDouble(args[2]), Path.of(args[3]));
    boolean passed;
    try {
      passed = check.run();
    } finally {
      check.removeWork();
    }
    System.exit(passed ? 0 : 1);
  }

  /** Whether all tests passed and training went as on the CPU. */
  private boolean run() throws IOException, InterruptedException {
    result.put("card", CudaDevice.cards(driver).get(0).toString());
    System.out.println(result.path("card").asText());
    parity();
    tests();
    kernels();
    steps();
    JsonNode tests = result.path("tests");
    boolean passed = tests.path("passed").asInt() > 0 && tests.path("failures").isEmpty();
    for (JsonNode one : result.path("parity")) {
      passed &= one.path("agrees").asBoolean();
    }
    return passed;
  }

  /** Models of many gigabytes. */
  private void removeWork() throws IOException {
    try (Stream<Path> all = Files.walk(work)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private double secondsLeft() {
    return (deadline - System.nanoTime()) / 1e9;
  }

  /** The limit of a stage that may take {@code most}; 0 if there is no time for it. */
  private double limit(double most) {
    double left = secondsLeft() - 2;
    return left < 5 ? 0 : Math.min(most, left);
  }

  private void save() throws IOException {
    JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), result);
  }

  private Optional<JsonNode> child(String name, List<String> command, double most, Path out)
      throws IOException, InterruptedException {
    double limit = limit(most);
    if (limit == 0) {
      result.put(name + "_failed", "no time left");
      return Optional.empty();
    }
    Child child = Child.run(command, limit, driver);
    if (child.code() != 0) {
      result.put(name + "_failed", child.failure());
    }
    if (!Files.exists(out)) {
      return Optional.empty();
    }
    JsonNode made = JSON.readTree(out.toFile());
    if (made instanceof ObjectNode object && child.peakBytes() > 0) {
      object.put("peak_bytes", child.peakBytes());
    }
    return Optional.of(made);
  }

  private String size() {
    return toy ? "toy" : "full";
  }

  private void tests() throws IOException, InterruptedException {
    Path out = work.resolve("tests.json");
    List<String> command =
        Child.java("org.loranative.gpucheck.DeviceTests", size(), out.toString());
    Optional<JsonNode> tests = child("tests", command, 170, out);
    tests.ifPresent(t -> result.set("tests", t));
    save();
    System.out.printf(
        "tests on the device: %s run, %s passed%s%n",
        result.path("tests").path("run"),
        result.path("tests").path("passed"),
        result.has("tests_failed") ? " (" + result.path("tests_failed").asText() + ")" : "");
    result
        .path("tests")
        .path("failures")
        .forEach(f -> System.out.println("  FAILED " + f.path("test").asText()));
  }

  /** The same runs on the CPU and on the card. */
  private void parity() throws IOException, InterruptedException {
    ArrayNode all = result.putArray("parity");
    RandomModel numbers = new RandomModel(false, 1 << 20);
    Path llama = numbers.llama(work.resolve("llama-toy"), Llama.TOY);
    Training language =
        new Training(
            Map.of(
                "base_model",
                llama.toString(),
                "metadata_path",
                llama.resolve("data.jsonl").toString(),
                "batch_size",
                "2",
                "max_length",
                "64",
                "max_steps",
                toy ? "3" : "10",
                "learning_rate",
                "0.003"));
    Path images = DiffusionFolder.images(work.resolve("images-toy"), 4, 64);
    Training diffusion =
        new Training(
            Map.of(
                "task_type", "sd",
                "base_model", sd(numbers, DiffusionShapes.TOY, "sd-toy"),
                "metadata_path", images.toString(),
                "cache_encodings", "false",
                "resolution", "64",
                "batch_size", "2",
                "max_steps", toy ? "2" : "10",
                "learning_rate", "0.003"));
    parity(all, "llama", language, "bf16", 2e-2);
    parity(all, "sd", diffusion, "f32", 1e-4);
    if (!toy) {
      Training xl = diffusion.with("base_model", sd(numbers, DiffusionShapes.TOY_XL, "xl-toy"));
      parity(all, "llama", language, "f32", 1e-4);
      parity(all, "llama, NF4", language.with("quantize", "nf4"), "f32", 1e-4);
      parity(all, "sd", diffusion, "bf16", 2e-2);
      parity(all, "sdxl", xl, "f32", 1e-4);
    }
  }

  private String sd(RandomModel numbers, DiffusionShapes shapes, String name) throws IOException {
    return new DiffusionFolder(numbers, shapes).write(work.resolve(name)).toString();
  }

  private void parity(ArrayNode all, String name, Training run, String compute, double tolerance)
      throws IOException, InterruptedException {
    double limit = limit(40);
    if (limit == 0) {
      return;
    }
    Path out = work.resolve("parity-" + all.size());
    Training.Result cpu =
        run.with("device", "cpu")
            .with("compute_dtype", "f32")
            .run(out.resolve("cpu"), limit, driver);
    Training.Result card =
        run.with("device", "cuda-emu")
            .with("compute_dtype", compute)
            .run(out.resolve("card"), Math.max(5, limit(40)), driver);
    double worst =
        cpu.losses().isEmpty() || cpu.losses().size() != card.losses().size() ? Double.NaN : 0;
    for (int i = 0; !Double.isNaN(worst) && i < cpu.losses().size(); i++) {
      worst = Math.max(worst, Math.abs(card.losses().get(i) / cpu.losses().get(i) - 1));
    }
    ObjectNode node = all.addObject().put("run", name).put("compute", compute);
    card.into(node);
    node.put("worst_difference", worst).put("agrees", worst < tolerance);
    System.out.printf(
        "training as on the CPU: %s in %s: losses within %.2g%s%n",
        name, compute, worst, worst < tolerance ? "" : " FAILED");
    save();
  }

  private void kernels() throws IOException, InterruptedException {
    Path ours = work.resolve("kernels.json");
    child(
            "kernels",
            Child.java("org.loranative.graph.ops.KernelTimes", size(), ours.toString()),
            60,
            ours)
        .ifPresent(k -> result.set("kernels", k));
    Path theirs = work.resolve("peer-kernels.json");
    Optional<JsonNode> peers = Optional.empty();
    if (Files.exists(ours)) {
      peers = peer("peer_kernels", 60, theirs, "kernels", ours.toString());
    }
    System.out.printf("%n%-60s %10s %10s %10s%n", "kernel", "ms", "TFLOP/s", "torch");
    for (int i = 0; i < result.path("kernels").size(); i++) {
      ObjectNode one = (ObjectNode) result.path("kernels").get(i);
      int at = i;
      double torch = peers.map(p -> p.path(at).path("tflops").asDouble()).orElse(0.0);
      if (torch > 0) {
        one.put("torch_tflops", torch);
      }
      System.out.printf(
          "%-60s %10.3f %10.1f %10s%n",
          describe(one),
          one.path("ms").asDouble(),
          one.path("tflops").asDouble(),
          torch == 0 ? "–" : String.format("%.1f", torch));
    }
    save();
  }

  private static String describe(JsonNode kernel) {
    StringBuilder text = new StringBuilder(kernel.path("op").asText());
    kernel
        .properties()
        .forEach(
            e -> {
              if (e.getValue().isInt()) {
                text.append(' ').append(e.getKey()).append(' ').append(e.getValue());
              } else if (e.getKey().equals("weights")) {
                text.append(' ').append(e.getValue().asText());
              }
            });
    return text.toString();
  }

  private Optional<JsonNode> peer(String name, double most, Path out, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("python3", PEERS.toString()));
    command.addAll(List.of(arguments));
    command.add(out.toString());
    return child(name, command, most, out);
  }

  /** A model, and how it is trained. */
  private record Step(String name, Path folder, String unit, Training training, String... peer) {}

  private void steps() throws IOException, InterruptedException {
    result.putArray("steps");
    System.out.printf(
        "%n%-34s %12s %10s %12s %12s %10s%n",
        "whole steps", "per second", "peak GB", "planned", "torch", "peak GB");
    if (toy) {
      Path folder = new RandomModel(false, 1 << 20).llama(work.resolve("llm"), Llama.TOY);
      llm("Llama toy", folder, "none", 2, 64);
      sd("SD toy", new RandomModel(false, 1 << 20), DiffusionShapes.TOY, 64, 1);
      return;
    }
    RandomModel numbers = new RandomModel(false, Llama.EIGHT_B.largest());
    Path one = numbers.llama(work.resolve("llama-1b"), Llama.ONE_B);
    llm("Llama 3 1B, bf16", one, "none", 2, 2048);
    llm("Llama 3 1B, NF4", one, "nf4", 2, 2048);
    sd("SD 1.5, bf16, 4 x 512", numbers, DiffusionShapes.SD15, 512, 4);
    sd("SDXL, bf16, 1 x 1024", numbers, DiffusionShapes.SDXL, 1024, 1);
    if (secondsLeft() > 60) {
      Path eight = numbers.llama(work.resolve("llama-8b"), Llama.EIGHT_B);
      llm("Llama 3 8B, NF4", eight, "nf4", 2, 2048);
      llm("Llama 3 8B, bf16", eight, "none", 2, 2048);
    }
  }

  private void llm(String name, Path folder, String quantize, int batch, int length)
      throws IOException, InterruptedException {
    Training training =
        new Training(
            Map.of(
                "base_model", folder.toString(),
                "metadata_path", folder.resolve("data.jsonl").toString(),
                "data_format", "text",
                "quantize", quantize,
                "batch_size", String.valueOf(batch),
                "max_length", String.valueOf(length),
                "lora_rank", "16"));
    step(
        new Step(
            name,
            folder,
            "tokens",
            training,
            "llm",
            folder.toString(),
            quantize,
            String.valueOf(batch),
            String.valueOf(length)));
  }

  private void sd(String name, RandomModel numbers, DiffusionShapes shapes, int side, int batch)
      throws IOException, InterruptedException {
    if (limit(60) == 0) {
      return;
    }
    Path folder = new DiffusionFolder(numbers, shapes).write(work.resolve("sd" + side));
    Path images = DiffusionFolder.images(work.resolve("images" + side), batch, side);
    Training training =
        new Training(
            Map.of(
                "task_type", "sd",
                "base_model", folder.toString(),
                "metadata_path", images.toString(),
                "cache_encodings", "false",
                "resolution", String.valueOf(side),
                "batch_size", String.valueOf(batch),
                "lora_rank", "16"));
    step(
        new Step(
            name,
            folder,
            "images",
            training,
            "sd",
            folder.toString(),
            String.valueOf(batch),
            String.valueOf(side)));
  }

  private void step(Step step) throws IOException, InterruptedException {
    double limit = limit(60);
    if (limit == 0) {
      return;
    }
    ArrayNode all = (ArrayNode) result.path("steps");
    ObjectNode node = all.addObject().put("model", step.name()).put("unit", step.unit());
    Training.Result ours =
        step.training()
            .with("device", "cuda-emu")
            .with("compute_dtype", "bf16")
            .with("max_steps", toy ? "3" : "12")
            .with("save_steps", "0")
            .run(work.resolve("run-" + all.size()), limit, driver);
    ours.into(node);
    Optional<JsonNode> theirs =
        peer(
            "peer_step_" + all.size(),
            60,
            work.resolve("peer-" + all.size() + ".json"),
            step.peer());
    theirs.ifPresent(t -> node.set("torch", t));
    boolean done = node.has("per_s");
    System.out.printf(
        "%-34s %12s %10s %12s %12s %10s%n",
        step.name(),
        done ? String.format("%.1f %s", node.path("per_s").asDouble(), step.unit()) : "failed",
        done ? String.format("%.2f", node.path("peak_bytes").asDouble() / 1e9) : "",
        node.path("planned").asText(),
        theirs
            .map(
                t ->
                    t.has("per_s")
                        ? String.format("%.1f", t.path("per_s").asDouble())
                        : t.path("missing").asText())
            .orElse("–"),
        theirs
            .filter(t -> t.has("peak_bytes"))
            .map(t -> String.format("%.2f", t.path("peak_bytes").asDouble() / 1e9))
            .orElse(""));
    if (!done) {
      System.out.println("  " + node.path("failed").asText());
    }
    save();
  }
}
