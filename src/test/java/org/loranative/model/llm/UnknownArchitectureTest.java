package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;

/** Models of no known family, and known ones in words of another age. */
class UnknownArchitectureTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private Path renamed(String golden, String architecture) throws IOException {
    Path copy =
        TensorFiles.copy(Golden.FOLDER.resolve(golden).resolve("base"), folder.resolve(golden));
    Path config = copy.resolve("config.json");
    ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
    json.putArray("architectures").add(architecture);
    Files.writeString(config, json.toString());
    return copy;
  }

  @Test
  void theNearestFamilyIsTold() throws IOException {
    Path same = renamed("qwen3", "Qwen9ForCausalLM");
    assertThatThrownBy(() -> LlmBase.open(same))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "Qwen9ForCausalLM is not supported. The nearest known family is qwen3")
        .hasMessageContaining("whose layers have the same tensors")
        .hasMessageContaining("Supported: ");
    Path sandwich = renamed("glm4", "Glm9ForCausalLM");
    assertThatThrownBy(() -> LlmBase.open(sandwich)).hasMessageContaining("family is glm4, whose");
  }

  @Test
  void whatDiffersIsNamed() throws IOException {
    Path other = renamed("gemma2", "Gemma9ForCausalLM");
    byte[] bytes = Files.readAllBytes(other.resolve("model.safetensors"));
    String header = new String(bytes, StandardCharsets.ISO_8859_1);
    Files.write(
        other.resolve("model.safetensors"),
        header
            .replace("post_feedforward_layernorm", "post_feedforward_layer_nor")
            .getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> LlmBase.open(other))
        .hasMessageContaining("also have post_feedforward_layer_nor and lack ")
        .hasMessageContaining("post_feedforward_layernorm.");
  }

  /** Before transformers 5, {@code rope_theta} stood beside {@code rope_scaling}. */
  @Test
  void oldWordsOfRotationMeanTheSame() throws IOException {
    for (String name : List.of("llama", "llama-linear", "qwen2", "olmo2", "granite", "glm4")) {
      Path base = Golden.FOLDER.resolve(name).resolve("base");
      Path copy = TensorFiles.copy(base, folder.resolve("old-" + name));
      Path config = copy.resolve("config.json");
      ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
      ObjectNode rope = (ObjectNode) json.remove("rope_parameters");
      assertThat(rope).as(name).isNotNull();
      move(rope, json, "rope_theta");
      move(rope, json, "partial_rotary_factor");
      if (!rope.path("rope_type").asText().equals("default")) {
        rope.set("type", rope.remove("rope_type"));
        json.set("rope_scaling", rope);
      }
      Files.writeString(config, json.toString());
      assertThat(LlmBase.open(copy).config()).isEqualTo(LlmBase.open(base).config());
    }
  }

  private static void move(ObjectNode from, ObjectNode to, String key) {
    JsonNode value = from.remove(key);
    if (value != null) {
      to.set(key, value);
    }
  }

  @Test
  void slidingLayersOfOlmo3KeepPlainRotations() throws IOException {
    Path base = Golden.FOLDER.resolve("olmo3").resolve("base");
    Path copy = TensorFiles.copy(base, folder.resolve("olmo3"));
    Path config = copy.resolve("config.json");
    ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
    ObjectNode full = (ObjectNode) json.remove("rope_parameters").path("full_attention");
    move(full, json, "rope_theta");
    json.set("rope_scaling", full);
    json.remove("layer_types");
    Files.writeString(config, json.toString());
    assertThat(LlmBase.open(copy).config()).isEqualTo(LlmBase.open(base).config());
  }

  /** As models that embed texts do; Gemma 4's pictures alone are no matter of text. */
  @Test
  void tokensThatSeeThoseBehindThemAreRefused() throws IOException {
    for (String name : List.of("gemma3", "gemma4")) {
      Path base = Golden.FOLDER.resolve(name).resolve("base");
      Path copy = TensorFiles.copy(base, folder.resolve(name));
      Path config = copy.resolve("config.json");
      ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
      json.put("use_bidirectional_attention", "vision");
      Files.writeString(config, json.toString());
      assertThat(LlmBase.open(copy).config()).isEqualTo(LlmBase.open(base).config());
      if (name.equals("gemma4")) {
        json.put("use_bidirectional_attention", "all");
      } else {
        json.put("use_bidirectional_attention", true);
      }
      Files.writeString(config, json.toString());
      assertThatThrownBy(() -> LlmBase.open(copy))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("use_bidirectional_attention is ")
          .hasMessageContaining("models that write text are supported");
    }
  }

  @Test
  void wrappersAreOfTheFamilyThatTheyHold() {
    Map<String, String> families =
        Map.of("ministral3-vision", "ministral3", "qwen3-vision", "qwen3");
    Stream.of("ministral3-vision", "qwen3-vision")
        .forEach(
            name ->
                assertThat(
                        LlmBase.open(Golden.FOLDER.resolve(name).resolve("base"))
                            .config()
                            .family()
                            .name())
                    .isEqualTo(families.get(name)));
  }
}
