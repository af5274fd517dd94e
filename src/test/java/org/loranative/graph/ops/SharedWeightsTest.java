package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Recompute;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.loranative.model.weights.Quantize;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TestDevices;

/** Matrices in blocks that a repeated product and its backward share, in a whole model. */
class SharedWeightsTest {
  /** All but down_proj, whose product nobody reads again. */
  private static final long OF_A_BLOCK = 6;

  /** Nobody wants the gradient of what q, k and v of the first block read. */
  private static final long OF_THE_FIRST = 3;

  private static final Predicate<FrozenProduct> ALL = p -> p.w0().dtype().isBlocks();

  private final LlmBase base = LlmBase.open(Golden.FOLDER.resolve("nf4/base"));
  private final Adapters adapters;

  SharedWeightsTest() {
    base.quantize(Quantize.NF4);
    adapters = new Adapters(new LoraSpec(8, 16, 0, List.of("all-linear"), false), base.targets());
  }

  private Graph recomputed(DType compute, int tokens, Recompute.Mode mode) {
    Graph full =
        LlmGraph.training(base, adapters, compute, new SupervisedObjective(), tokens, tokens);
    Map<String, Recompute.Mode> modes = new LinkedHashMap<>();
    Recompute.blocks(full).forEach(b -> modes.put(b, mode));
    return Recompute.apply(full, modes);
  }

  private static Graph shared(Graph g) {
    return SharedWeights.apply(g, new HashSet<>(Recompute.blocks(g)), ALL);
  }

  private static long dequantized(Graph g) {
    return g.nodes().stream().filter(n -> n.op() instanceof DequantizeMatrix).count();
  }

  /** With few rows, whose products take blocks apart themselves, and with many. */
  @ParameterizedTest
  @CsvSource({"cuda-emu, 24", "cuda-check, 24", "cuda-emu, 1056"})
  void givesTheSameBits(String deviceName, int tokens) {
    Graph plain = recomputed(DType.BF16, tokens, Recompute.Mode.EVERYTHING);
    Graph shared = shared(plain);
    try (Device device = TestDevices.open(deviceName);
        PlacedModel placed =
            new PlacedModel(device, base.weights(), adapters, base.constants(), plain)) {
      assertThat(gradients(placed, shared, tokens)).isEqualTo(gradients(placed, plain, tokens));
    }
  }

  /** After a run from the same adapters and no gradients. */
  private List<Float> gradients(PlacedModel placed, Graph g, int tokens) {
    float[] parts = new float[Math.toIntExact(adapters.floats())];
    placed.state().write(AdapterState.GRADS, Numbers.of(parts.clone()));
    Random random = new Random(5);
    for (int i = 0; i < parts.length; i++) {
      parts[i] = 0.1f * (float) random.nextGaussian();
    }
    placed.state().write(AdapterState.PARAMS, Numbers.of(parts));
    int[] ids = IntStream.range(0, tokens).map(i -> i * 31 % 96).toArray();
    int[] start = IntStream.range(0, tokens).map(i -> i / 24 * 24).toArray();
    Map<String, int[]> inputs =
        Map.of(
            LlmGraph.IDS,
            ids,
            LlmGraph.LABELS,
            ids,
            LlmGraph.POSITIONS,
            IntStream.range(0, tokens).map(i -> i % 24).toArray(),
            LlmGraph.DOC_START,
            start);
    float loss = placed.run(g, inputs, 1, tokens).get("loss")[0];
    float[] gradients = placed.state().numbers(AdapterState.GRADS).all();
    assertThat(gradients).isNotEqualTo(new float[gradients.length]);
    return IntStream.rangeClosed(0, gradients.length)
        .mapToObj(i -> i == 0 ? loss : gradients[i - 1])
        .toList();
  }

  /** Each matrix once in a block, just before the first product that reads it. */
  @Test
  void dequantizesEachMatrixOnce() {
    Graph plain = recomputed(DType.BF16, 24, Recompute.Mode.EVERYTHING);
    Graph shared = shared(plain);
    assertThat(dequantized(shared)).isEqualTo(OF_THE_FIRST + OF_A_BLOCK);
    assertThat(shared.nodes()).hasSize(plain.nodes().size() + (int) dequantized(shared));
    Set<String> second = Set.of(Recompute.blocks(plain).get(1));
    assertThat(dequantized(SharedWeights.apply(plain, second, ALL))).isEqualTo(OF_A_BLOCK);
  }

  /** Where only cheap ops are repeated, each matrix has one product behind the loss. */
  @Test
  void leavesAloneWhatIsReadOnce() {
    Graph plain = recomputed(DType.BF16, 24, Recompute.Mode.CHEAP_OPS);
    assertThat(shared(plain).nodes()).isEqualTo(plain.nodes());
  }

  /**
   * A device that takes blocks apart tile by tile, a card whose cache holds such small matrices.
   */
  @Test
  void devicesThatGainNothingShareNothing() {
    Graph plain = recomputed(DType.BF16, 1056, Recompute.Mode.EVERYTHING);
    for (String name : List.of("cpu", "cuda-emu")) {
      try (Device device = TestDevices.open(name)) {
        assertThat(SharedWeights.blocks(plain, device)).as(name).isEmpty();
      }
    }
  }
}
