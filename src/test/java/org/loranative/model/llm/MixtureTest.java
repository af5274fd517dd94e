package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TestDevices;

/** A tiny Qwen3-MoE beyond what {@code GoldenTest} holds against transformers. */
class MixtureTest {
  private static final LlmBase BASE = base("qwen3-moe-mixed/base");

  private static LlmBase base(String path) {
    return LlmBase.open(Golden.FOLDER.resolve(path));
  }

  private static float[] logits(Device device, LlmBase base, int[]... documents) {
    int tokens = Arrays.stream(documents).mapToInt(d -> d.length).sum();
    Map<String, int[]> inputs = new HashMap<>();
    List.of(LlmGraph.IDS, LlmGraph.POSITIONS, LlmGraph.DOC_START)
        .forEach(name -> inputs.put(name, new int[tokens]));
    int at = 0;
    for (int[] d : documents) {
      for (int i = 0; i < d.length; i++) {
        inputs.get(LlmGraph.IDS)[at + i] = d[i];
        inputs.get(LlmGraph.POSITIONS)[at + i] = i;
        inputs.get(LlmGraph.DOC_START)[at + i] = at;
      }
      at += d.length;
    }
    Graph graph = LlmGraph.logits(base, Adapters.none(), DType.F32, tokens, tokens);
    try (PlacedModel model =
        new PlacedModel(device, base.weights(), Adapters.none(), base.constants(), graph)) {
      return model.run(graph, inputs, 1, 1).get("logits");
    }
  }

  private static final int[] FIRST = {3, 9, 40, 41, 2, 2, 60};
  private static final int[] SECOND = {5, 1, 66, 23, 8};

  /** Other documents choose other experts, but no row sees another. */
  @ParameterizedTest
  @MethodSource("org.loranative.testing.TestDevices#models")
  void packedDocumentsEqualThoseAlone(String name) {
    try (Device device = TestDevices.open(name)) {
      float[] packed = logits(device, BASE, FIRST, SECOND);
      float[] alone = logits(device, BASE, SECOND);
      int from = packed.length - alone.length;
      assertThat(Errors.relative(Arrays.copyOfRange(packed, from, packed.length), alone))
          .isLessThan(1e-6);
    }
  }

  /** Token after token behind the cache, the choice is that of the whole text. */
  @ParameterizedTest
  @MethodSource("org.loranative.testing.TestDevices#models")
  void greedyGenerationWithTheCacheIsThatWithout(String name) {
    try (Device device = TestDevices.open(name);
        PlacedModel model =
            new PlacedModel(
                device,
                BASE.weights(),
                Adapters.none(),
                BASE.constants(),
                Generator.weightsOf(BASE, Adapters.none(), DType.F32));
        Generator generator =
            new Generator(
                device,
                BASE,
                Adapters.none(),
                DType.F32,
                model.placement(),
                32,
                Optional.empty())) {
      int[] answer = generator.generate(FIRST, 8, Set.of(), Sampling.greedy(), id -> true);
      int[] text = FIRST;
      int vocab = BASE.config().vocab();
      for (int next : answer) {
        float[] z = logits(device, BASE, text);
        int best = 0;
        for (int v = 0; v < vocab; v++) {
          int last = (text.length - 1) * vocab;
          best = z[last + v] > z[last + best] ? v : best;
        }
        assertThat(next).as("behind %s", Arrays.toString(text)).isEqualTo(best);
        text = Arrays.copyOf(text, text.length + 1);
        text[text.length - 1] = next;
      }
      assertThat(answer).hasSize(8);
    }
  }

  /** The same numbers, however a file holds them. */
  @Test
  void fileFormsGiveTheSameBits() {
    try (Device device = TestDevices.open("cpu")) {
      float[] each = logits(device, base("qwen3-moe/base"), FIRST);
      assertThat(logits(device, base("qwen3-moe/base.gguf"), FIRST)).isEqualTo(each);
      assertThat(Errors.relative(logits(device, base("qwen3-moe/fused"), FIRST), each))
          .isLessThan(1e-6);
    }
  }

  @Test
  void adaptersGoOnAttentionAndDenseLayers() {
    assertThat(BASE.targets().stream().map(Adapters.Target::path))
        .contains("model.layers.1.mlp.gate_proj", "model.layers.2.self_attn.o_proj")
        .noneMatch(path -> path.matches("model\\.layers\\.[02]\\.mlp.*"));
    BASE.requireAdaptable("gate_proj"); // of the dense layer
    BASE.requireAdaptable("all-linear");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"gate_proj", "down_proj", "mlp.experts.gate_up_proj", "experts", "mlp.gate", "w1"})
  void namesOfExpertsAreRefused(String target) {
    assertThatThrownBy(() -> base("qwen3-moe/base").requireAdaptable(target))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_targets: " + target + " means the experts");
  }
}
