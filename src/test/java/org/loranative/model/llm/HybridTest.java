package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/**
 * Tiny models whose layers read in different ways, beyond what {@code GoldenTest} holds against
 * transformers: rows of many chunks.
 */
@ExtendWith(Seeded.class)
class HybridTest {
  private static final LlmBase BASE = LlmBase.open(Golden.FOLDER.resolve("qwen3-5/base"));

  private static int[] text(Random r, int tokens) {
    return r.ints(tokens, 0, BASE.config().vocab()).toArray();
  }

  /** Recurrent layers among others; windows, and keys that layers share. */
  static Stream<Arguments> everywhere() {
    return TestDevices.MODELS.stream()
        .flatMap(
            device -> Stream.of("qwen3-5", "gemma4").map(model -> Arguments.of(device, model)));
  }

  private static LlmBase base(String model) {
    return LlmBase.open(Golden.FOLDER.resolve(model).resolve("base"));
  }

  /** No document sees another's state or the tail of what its convolutions read. */
  @ParameterizedTest
  @MethodSource("everywhere")
  void packedDocumentsEqualThoseAlone(String name, String model, Random r) {
    LlmBase base = base(model);
    List<int[]> documents =
        List.of(text(r, 1 + r.nextInt(90)), text(r, 1 + r.nextInt(9)), text(r, 60 + r.nextInt(90)));
    try (Device device = TestDevices.open(name)) {
      float[] packed = PackedLogits.of(device, base, documents.toArray(int[][]::new));
      int at = 0;
      for (int[] document : documents) {
        float[] alone = PackedLogits.of(device, base, document);
        assertThat(Errors.relative(Arrays.copyOfRange(packed, at, at + alone.length), alone))
            .as("%d tokens, %s", document.length, Seeded.again())
            .isLessThan(1e-5);
        at += alone.length;
      }
    }
  }

  private static int best(float[] z, int row) {
    int vocab = BASE.config().vocab();
    int best = 0;
    for (int v = 0; v < vocab; v++) {
      best = z[row * vocab + v] > z[row * vocab + best] ? v : best;
    }
    return best;
  }

  /** Prompts of several pieces, one after another: longer, shorter, the same again. */
  @ParameterizedTest
  @MethodSource("everywhere")
  void answersAreThoseOfTheWholeText(String name, String family, Random r) {
    LlmBase base = base(family);
    int[] first = text(r, 70 + r.nextInt(30));
    List<int[]> prompts =
        List.of(
            first,
            Arrays.copyOf(first, 40), // what the state holds goes beyond it
            Arrays.copyOf(first, 41),
            Arrays.copyOf(first, 41),
            text(r, 3));
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
                120,
                Optional.empty())) {
      for (int[] prompt : prompts) {
        int[] answer = generator.generate(prompt, 4, Set.of(), Sampling.greedy(), id -> true);
        int[] whole = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, whole, prompt.length, answer.length);
        float[] z = PackedLogits.of(device, base, whole);
        int[] expected = new int[answer.length];
        for (int i = 0; i < expected.length; i++) {
          expected[i] = best(z, prompt.length - 1 + i);
        }
        assertThat(answer)
            .as("behind %d tokens, %s", prompt.length, Seeded.again())
            .isEqualTo(expected);
      }
    }
  }

  @TempDir Path folder;

  @Test
  void refusesHeadsThatDoNotFit() throws Exception {
    Path base = Golden.FOLDER.resolve("qwen3-5/base");
    String config = Files.readString(base.resolve("config.json"), StandardCharsets.UTF_8);
    Files.copy(base.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    Files.writeString(
        folder.resolve("config.json"),
        config.replace("\"linear_key_head_dim\": 16", "\"linear_key_head_dim\": 192"));
    assertThatThrownBy(() -> LlmBase.open(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("heads of at most 128 are supported");
    Files.writeString(
        folder.resolve("config.json"),
        config.replace("\"linear_conv_kernel_dim\": 4", "\"linear_conv_kernel_dim\": 3"));
    assertThatThrownBy(() -> LlmBase.open(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("linear_attn.conv1d.weight is [112, 1, 4]")
        .hasMessageContaining("its config needs [112, 1, 3]");
  }

  @Test
  void refusesTypesOfOtherLayers() throws Exception {
    Path base = Golden.FOLDER.resolve("qwen3-5/base");
    String config = Files.readString(base.resolve("config.json"), StandardCharsets.UTF_8);
    Files.copy(base.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    Path changed = folder.resolve("config.json");
    Files.writeString(changed, config.replace("\"full_attention\",", ""));
    assertThatThrownBy(() -> LlmBase.open(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("layer_types has 3 entries, but num_hidden_layers is 4");
    Files.writeString(changed, config.replace("\"full_attention\",", "\"mamba\","));
    assertThatThrownBy(() -> LlmBase.open(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("layer_types has \"mamba\"; known in this family are full_attention");
  }
}
