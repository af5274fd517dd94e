package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.io.DType;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.model.weights.Quantize;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TestDevices;

/** Tiny mixtures beyond what {@code GoldenTest} holds against transformers. */
class MixtureTest {
  private static final LlmBase BASE = base("qwen3-moe-mixed/base");

  private static LlmBase base(String path) {
    return LlmBase.open(Golden.FOLDER.resolve(path));
  }

  private static final int[] FIRST = {3, 9, 40, 41, 2, 2, 60};
  private static final int[] SECOND = {5, 1, 66, 23, 8};

  static Stream<Arguments> everywhere() {
    return TestDevices.MODELS.stream()
        .flatMap(
            device ->
                Stream.of("qwen3-moe-mixed", "glm4-moe", "gemma4-moe", "gpt-oss", "qwen3-next-moe")
                    .map(name -> Arguments.of(device, name)));
  }

  /** Other documents choose other experts, but no row sees another. */
  @ParameterizedTest
  @MethodSource("everywhere")
  void packedDocumentsEqualThoseAlone(String name, String family) {
    LlmBase base = base(family + "/base");
    try (Device device = TestDevices.open(name)) {
      float[] packed = PackedLogits.of(device, base, FIRST, SECOND);
      float[] alone = PackedLogits.of(device, base, SECOND);
      int from = packed.length - alone.length;
      assertThat(Errors.relative(Arrays.copyOfRange(packed, from, packed.length), alone))
          .isLessThan(1e-6);
    }
  }

  /** Token after token behind the cache, the choice is that of the whole text. */
  @ParameterizedTest
  @MethodSource("everywhere")
  void greedyGenerationWithTheCacheIsThatWithout(String name, String family) {
    LlmBase base = base(family + "/base");
    try (Device device = TestDevices.open(name);
        PlacedModel model =
            new PlacedModel(
                device,
                base.weights(),
                Adapters.none(),
                base.constants(),
                Generator.weightsOf(base, Adapters.none(), DType.F32));
        Generator generator =
            new Generator(
                device,
                base,
                Adapters.none(),
                DType.F32,
                model.placement(),
                32,
                Optional.empty())) {
      int[] answer = generator.generate(FIRST, 8, Set.of(), Sampling.greedy(), id -> true);
      int[] text = FIRST;
      int vocab = base.config().vocab();
      for (int next : answer) {
        float[] z = PackedLogits.of(device, base, text);
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
  void fileFormsGiveTheSameNumbers() {
    try (Device device = TestDevices.open("cpu")) {
      float[] each = PackedLogits.of(device, base("qwen3-moe/base"), FIRST);
      assertThat(PackedLogits.of(device, base("qwen3-moe/fused"), FIRST)).isEqualTo(each);
      assertThat(Errors.relative(PackedLogits.of(device, base("qwen3-moe/base.gguf"), FIRST), each))
          .isLessThan(1e-6);
    }
  }

  /** Of a folder that packs experts and of a GGUF, the blocks stay on the device. */
  @ParameterizedTest
  @ValueSource(strings = {"packed", "base.gguf"})
  void packedExpertsAreKept(String file) {
    try (Device device = TestDevices.open("cpu")) {
      LlmBase base = base("gpt-oss/" + file);
      base.quantize(Quantize.KEEP);
      String down = "model.layers.0.mlp.experts.down_proj.weight";
      assertThat(base.weights().matrixType(down, DType.F32)).isEqualTo(DType.MXFP4);
      float[] plain = PackedLogits.of(device, base("gpt-oss/base"), FIRST);
      assertThat(Errors.relative(PackedLogits.of(device, base, FIRST), plain)).isLessThan(1e-5);
    }
  }

  static Stream<Arguments> held() {
    return TestDevices.MODELS.stream()
        .flatMap(
            device ->
                Stream.of(
                    Arguments.of(device, Quantize.NONE, DType.F32),
                    Arguments.of(device, Quantize.KEEP, DType.MXFP4),
                    Arguments.of(device, Quantize.NF4, DType.NF4)));
  }

  /** Gate and up of a GGUF are apart, and in turn as in the folder where an adapter has both. */
  @ParameterizedTest
  @MethodSource("held")
  void halvesInTurnHaveAnAdapterTogether(String name, Quantize how, DType type) {
    String together = "model.layers.0.mlp.experts.gate_up_proj.weight";
    List<float[]> answers = new ArrayList<>();
    for (String file : List.of("packed", "base.gguf")) {
      LlmBase base = base("gpt-oss/" + file);
      base.quantize(how);
      assertThat(base.weights().matrixType(together, DType.F32)).isEqualTo(type);
      LoraSpec spec = new LoraSpec(2, 2, 0, base.layersCalled("gate_up_proj"), false);
      Adapters adapters = new Adapters(spec, base.targets());
      assertThat(adapters.modules()).hasSize(2);
      float[] params = new float[Math.toIntExact(adapters.floats())];
      Random random = new Random(6);
      for (int i = 0; i < params.length; i++) {
        params[i] = 0.2f * (float) random.nextGaussian();
      }
      try (Device device = TestDevices.open(name)) {
        answers.add(PackedLogits.of(device, base, adapters, params, SECOND));
      }
    }
    assertThat(Errors.relative(answers.get(1), answers.get(0))).isLessThan(1e-6);
  }

  @Test
  void adaptersGoOnAttentionDenseLayersAndExperts() {
    assertThat(BASE.targets().stream().map(Adapters.Target::path))
        .contains(
            "model.layers.1.mlp.gate_proj",
            "model.layers.2.self_attn.o_proj",
            "model.layers.2.mlp.experts.gate_up_proj",
            "model.layers.0.mlp.experts.down_proj")
        .noneMatch(path -> path.matches("model\\.layers\\.[02]\\.mlp\\.(gate|up|down).*"));
    BASE.requireAdaptable(List.of("mlp.gate_proj")); // of the dense layer alone
    assertThat(adapted(BASE, "all-linear")).noneMatch(path -> path.contains("experts"));
    assertThat(adapted(BASE, "down_proj"))
        .containsExactly(
            "model.layers.0.mlp.experts.down_proj",
            "model.layers.1.mlp.down_proj",
            "model.layers.2.mlp.experts.down_proj");
  }

  /** What the halves are called apart means both. */
  @ParameterizedTest
  @ValueSource(strings = {"", "experts.", "mlp.experts."})
  void halvesOfExpertsAreOneLayer(String before) {
    LlmBase base = base("qwen3-moe/base");
    base.requireAdaptable(List.of(before + "gate_proj", before + "up_proj"));
    assertThat(base.layersCalled(before + "up_proj")).containsExactly(before + "gate_up_proj");
    assertThatThrownBy(() -> base.requireAdaptable(List.of(before + "up_proj", "q_proj")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_targets: " + before + "up_proj of this model's experts is one");
  }

  private static List<String> adapted(LlmBase base, String name) {
    LoraSpec spec = new LoraSpec(2, 2, 0, base.layersCalled(name), false);
    return new Adapters(spec, base.targets())
        .modules().stream().map(Adapters.Module::path).sorted().toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"experts", "mlp.experts", "mlp.gate", "gate"})
  void namesOfNoLayerAreRefused(String target) {
    assertThatThrownBy(() -> base("qwen3-moe/base").requireAdaptable(List.of(target)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_targets: " + target + " is");
  }

  /** PEFT has neither. */
  @Test
  void expertsHaveLoraAloneAndNoDropout() {
    LlmBase base = base("qwen3-moe/base");
    List<String> names = List.of("down_proj");
    assertThatThrownBy(() -> new Adapters(new LoraSpec(2, 2, 0.1, names, false), base.targets()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_dropout is 0.1");
    AdapterMethod.Choices choices = new AdapterMethod.Choices(2, LoraInit.DEFAULT, 1);
    LoraSpec loha =
        new LoraSpec(AdapterMethods.named("loha", choices).orElseThrow(), 2, 2, 0, names, false, 1);
    assertThatThrownBy(() -> new Adapters(loha, base.targets()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_method: lora");
  }
}
