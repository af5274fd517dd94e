package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Embedding;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.Net;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.Seeded;
import org.loranative.testing.StoredBase;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TestDevices;

/** Floats of 8 bits with scales, against transformers' own dequantization. */
@ExtendWith(Seeded.class)
class Float8Test {
  private static final Path FOLDER = Golden.FOLDER.resolve("fp8");
  private static final Path MATRICES = FOLDER.resolve("matrices.safetensors");

  @TempDir Path temp;

  private static Weights matrices() {
    return new Weights("fp8", Safetensors.read(MATRICES).tensors(), n -> n);
  }

  /** Blocks of 128 x 128 whose last ones are cut off, scales in bf16, fewer rows than a block. */
  @ParameterizedTest
  @ValueSource(strings = {"ragged", "brain", "low", "row", "whole"})
  void readsMatrices(String name) {
    assertThat(StoredBase.numbers(matrices(), name + ".weight"))
        .isEqualTo(new Golden(MATRICES).floats(name + ".numbers"));
  }

  /** What merging reads: some rows from anywhere. */
  @Test
  void readsRows(Random random) {
    Weights weights = matrices();
    float[] expected = new Golden(MATRICES).floats("ragged.numbers");
    TensorEntry entry = weights.entry("ragged.weight");
    int columns = (int) entry.columns();
    try (StoredRows rows = weights.rows()) {
      for (int i = 0; i < 20; i++) {
        int first = random.nextInt((int) entry.rows());
        int count = 1 + random.nextInt((int) entry.rows() - first);
        float[] x = new float[count * columns];
        rows.read(entry, first, count, x);
        assertThat(x)
            .isEqualTo(
                java.util.Arrays.copyOfRange(expected, first * columns, (first + count) * columns));
      }
    }
  }

  /** Held in blocks: all 256 of them, NaN among them, each row by its scale. */
  @ParameterizedTest
  @MethodSource("devices")
  void everyCodeIsItsNumber(String deviceName) {
    assertThat(codes(deviceName, matrices(), 0, 1))
        .containsExactly(new Golden(MATRICES).floats("codes.numbers"));
  }

  /** As files of diffusion models have them. */
  @Test
  void scalesMayBeMissing() throws IOException {
    Path plain = temp.resolve("plain.safetensors");
    TensorFiles.like(MATRICES, n -> n.equals("codes.weight") ? n : "").write(plain);
    float[] numbers = codes("cpu", new Weights("x", Safetensors.read(plain).tensors(), n -> n), 1);
    float[] scaled = new Golden(MATRICES).floats("codes.numbers");
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] *= 0x1p-20f;
    }
    assertThat(scaled).endsWith(numbers);
  }

  /** Some rows of the matrix of codes, which is held in blocks. */
  private static float[] codes(String deviceName, Weights weights, int... rows) {
    weights.quantize(Quantize.KEEP, n -> true);
    Graph g = new Graph();
    Value w = new Net(g, weights, Adapters.none(), DType.F32, false).matrix("codes.weight");
    assertThat(w.dtype()).isEqualTo(DType.FP8);
    g.result(Embedding.of(g, g.input("ids", DType.I32, rows.length), w, DType.F32, 1));
    try (Device device = TestDevices.open(deviceName);
        PlacedModel placed = new PlacedModel(device, weights, Adapters.none(), Map.of(), g)) {
      return placed.run(g, Map.of("ids", rows), 1, 1).values().iterator().next();
    }
  }

  static List<String> devices() {
    return TestDevices.OPS;
  }

  @ParameterizedTest
  @CsvSource({
    "base, cpu, NONE, F32, 1e-5",
    "base, cpu, KEEP, F32, 1e-5",
    "base, cuda-emu, KEEP, BF16, 3e-2",
    "base, cpu, NF4, F32, 0.4",
    "mixture, cpu, NONE, F32, 1e-5",
    "mixture, cuda-emu, KEEP, F32, 1e-5"
  })
  void readsModels(
      String model, String deviceName, Quantize quantize, DType compute, double tolerance) {
    String file = model.equals("base") ? "golden.safetensors" : model + ".safetensors";
    Golden golden = new Golden(FOLDER.resolve(file));
    LlmBase base = LlmBase.open(FOLDER.resolve(model));
    base.quantize(quantize);
    int[] ids = golden.ints("ids");
    Graph g = LlmGraph.logits(base, Adapters.none(), compute, ids.length, ids.length);
    assertThat(held(g, "self_attn.q_proj")).isEqualTo(held(quantize, compute));
    if (model.equals("base")) { // rows of 192 are no whole blocks
      assertThat(held(g, "self_attn.o_proj"))
          .isEqualTo(quantize == Quantize.KEEP ? compute : held(quantize, compute));
    } else {
      assertThat(held(g, "mlp.experts.down_proj")).isEqualTo(held(quantize, compute));
    }
    float[] logits = StoredBase.logits(deviceName, base, g, ids);
    assertThat(Errors.relative(logits, golden.floats("logits"))).isLessThan(tolerance);
  }

  private static DType held(Graph g, String module) {
    return g.named().get("model.layers.0." + module + ".weight").dtype();
  }

  private static DType held(Quantize quantize, DType compute) {
    return switch (quantize) {
      case NONE -> compute;
      case NF4 -> DType.NF4;
      case KEEP -> DType.FP8;
    };
  }

  /** Held or taken apart, the numbers are the same, and so is what is learnt. */
  @ParameterizedTest
  @MethodSource("trained")
  void keepLearnsWhatNoneDoes(String deviceName, String model) {
    Map<String, float[]> expected = learnt(deviceName, model, Quantize.NONE);
    Map<String, float[]> actual = learnt(deviceName, model, Quantize.KEEP);
    assertThat(actual.keySet()).isEqualTo(expected.keySet()).hasSizeGreaterThan(10);
    expected.forEach(
        (name, x) -> assertThat(Errors.relative(actual.get(name), x)).as(name).isLessThan(3e-6));
  }

  static Stream<Arguments> trained() {
    return TestDevices.MODELS.stream()
        .flatMap(device -> Stream.of("base", "mixture").map(m -> Arguments.of(device, m)));
  }

  /** Loss and gradients of a document. */
  private static Map<String, float[]> learnt(String deviceName, String model, Quantize how) {
    LlmBase base = LlmBase.open(FOLDER.resolve(model));
    base.quantize(how);
    List<String> names = List.of("q_proj", "v_proj", "o_proj", "gate_up_proj", "down_proj");
    if (model.equals("base")) {
      names = List.of("all-linear");
    }
    Adapters adapters = new Adapters(new LoraSpec(3, 6, 0, names, false), base.targets());
    int[] ids = {3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 32};
    Graph g =
        LlmGraph.training(
            base, adapters, DType.F32, new SupervisedObjective(), ids.length, ids.length);
    try (Device device = TestDevices.open(deviceName);
        PlacedModel placed =
            new PlacedModel(device, base.weights(), adapters, base.constants(), g)) {
      float[] parts = new float[Math.toIntExact(adapters.floats())];
      Random random = new Random(5);
      for (int i = 0; i < parts.length; i++) {
        parts[i] = 0.1f * (float) random.nextGaussian();
      }
      placed.state().write(AdapterState.PARAMS, Numbers.of(parts));
      Map<String, int[]> inputs =
          Map.of(
              LlmGraph.IDS,
              ids,
              LlmGraph.LABELS,
              ids,
              LlmGraph.POSITIONS,
              IntStream.range(0, ids.length).toArray(),
              LlmGraph.DOC_START,
              new int[ids.length]);
      Map<String, float[]> all = new HashMap<>(placed.run(g, inputs, 1, ids.length));
      all.putAll(placed.byModule(AdapterState.GRADS));
      return all;
    }
  }

  /** Of 5 exponents, or by blocks that do not end where a scale does. */
  @ParameterizedTest
  @CsvSource({"F8_E4M3, 64, F32", "F8_E4M3, 256, FP8", "F8_E5M2, 256, F32"})
  void whatIsNoBlockIsTakenApart(DType stored, int blockColumns, DType held) throws IOException {
    Path file = temp.resolve("model.safetensors");
    List<Safetensors.Tensor> tensors =
        List.of(
            new Safetensors.Tensor(
                "x.weight", stored, List.of(2L, 256L), ByteBuffer.allocate(2 * 256)),
            new Safetensors.Tensor(
                "x.weight_scale_inv",
                DType.F32,
                List.of(2L, 256L / blockColumns),
                ByteBuffer.allocate(2 * 256 / blockColumns * 4)));
    Safetensors.write(file, tensors, Map.of());
    Weights weights =
        Weights.scaled("x", Safetensors.read(file).tensors(), n -> n, 1, blockColumns);
    weights.quantize(Quantize.KEEP, n -> true);
    assertThat(weights.matrixType("x.weight", DType.F32)).isEqualTo(held);
  }

  @Test
  void scalesThatDoNotFitAreNamed() throws IOException {
    Path base = TensorFiles.copy(FOLDER.resolve("base"), temp.resolve("base"));
    String config = Files.readString(base.resolve("config.json"));
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"weight_block_size\": \\[[^]]*]", "\"weight_block_size\": [64, 64]"));
    assertThatThrownBy(() -> LlmBase.open(base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("its scale model.layers.0")
        .hasMessageContaining("nor one a block of 64 x 64");
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"weight_block_size\": \\[[^]]*]", "\"weight_block_size\": 128"));
    assertThatThrownBy(() -> LlmBase.open(base)).hasMessageContaining("such as [128, 128]");
  }

  @Test
  void matricesWithoutScalesAreNamed() throws IOException {
    Path base = TensorFiles.copy(FOLDER.resolve("base"), temp.resolve("base"));
    Path file = base.resolve("model.safetensors");
    TensorFiles.like(file, n -> n.endsWith("k_proj.weight_scale_inv") ? "" : n).write(file);
    assertThatThrownBy(() -> LlmBase.open(base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("k_proj.weight has no scale beside it");
  }

  /** Of 8 bits of another kind, such as MXFP8's exponents. */
  @Test
  void otherScalesAreNamed() throws IOException {
    Path file = temp.resolve("model.safetensors");
    Safetensors.Tensor weight =
        new Safetensors.Tensor(
            "x.weight", DType.F8_E4M3, List.of(2L, 2L), ByteBuffer.wrap(new byte[] {9, 8, 7, 6}));
    Safetensors.Tensor scale =
        new Safetensors.Tensor(
            "x.weight_scale", DType.U8, List.of(2L, 1L), ByteBuffer.wrap(new byte[] {120, 121}));
    Safetensors.write(file, List.of(weight, scale), Map.of());
    assertThatThrownBy(() -> new Weights("x", Safetensors.read(file).tensors(), n -> n))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("x.weight_scale is U8 [2, 1]");
  }

  /** A code that is NaN, or a scale, is found when a loss is no number. */
  @ParameterizedTest
  @CsvSource({"56, 1, false", "126, 1, false", "127, 1, true", "-1, 1, true", "56, NaN, true"})
  void nanIsFound(byte code, float scale, boolean found) throws IOException {
    Path file = temp.resolve("model.safetensors");
    ByteBuffer one = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, scale);
    Safetensors.Tensor weight =
        new Safetensors.Tensor(
            "x.weight",
            DType.F8_E4M3,
            List.of(2L, 2L),
            ByteBuffer.wrap(new byte[] {9, 8, 7, code}));
    Safetensors.write(
        file,
        List.of(weight, new Safetensors.Tensor("x.weight_scale", DType.F32, List.of(1L), one)),
        Map.of());
    Weights weights = new Weights("x", Safetensors.read(file).tensors(), n -> n);
    Value x = new Value(0, Shape.of(2, 2), DType.F32, Kind.WEIGHT, "x.weight");
    assertThat(weights.notFinite(Map.of("x.weight", x)).isPresent()).isEqualTo(found);
  }
}
