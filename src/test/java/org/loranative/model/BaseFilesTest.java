package org.loranative.model;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.llm.LlmBase;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TinyModel;

/** Bases that were not downloaded whole, or not as what can be trained on, are named as that. */
class BaseFilesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String POINTER =
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 2104556\n";

  @TempDir Path folder;
  private Path llm;

  @BeforeEach
  void writeBase() throws IOException {
    llm = TinyModel.write(folder.resolve("llm"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "generation_config.json",
        "chat_template.jinja",
        "model.safetensors",
        "model.safetensors.index.json"
      })
  void pointersOfLfsAreNamed(String file) throws IOException {
    if (file.endsWith(".index.json")) {
      Files.delete(llm.resolve("model.safetensors"));
    }
    Files.writeString(llm.resolve(file), POINTER);
    assertThatThrownBy(() -> LlmBase.open(llm).tokenizer())
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file + " is a pointer of Git LFS")
        .hasMessageContaining("git lfs pull");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_index.json",
        "unet/config.json",
        "vae/config.json",
        "text_encoder/config.json",
        "scheduler/scheduler_config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "tokenizer/tokenizer_config.json",
        "unet/diffusion_pytorch_model.safetensors"
      })
  void pointersInDiffusersFoldersAreNamed(String file) throws IOException {
    Path base = TensorFiles.copy(Path.of("models/emoji-sd"), folder.resolve("sd"));
    Files.writeString(base.resolve(file), POINTER);
    assertThatThrownBy(() -> DiffusionFamilies.open(base).family().text().reader())
        .isInstanceOf(UserException.class)
        .hasMessageContaining(Path.of(file).getFileName() + " is a pointer of Git LFS");
  }

  @Test
  void halfAConfigIsNamedWithItsLine() throws IOException {
    Files.writeString(llm.resolve("config.json"), "{\n\"hidden_size\": 64,\n\"num");
    assertThatThrownBy(() -> LlmBase.open(llm))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("config.json line 3 is not JSON");
    Files.writeString(llm.resolve("config.json"), "");
    assertThatThrownBy(() -> LlmBase.open(llm)).hasMessageContaining("config.json is empty");
  }

  /** Their tensors would look like missing or odd ones. */
  @ParameterizedTest
  @CsvSource({
    "gptq, '\"bits\":4', quantized by gptq",
    "awq, '\"bits\":4', quantized by awq",
    "compressed-tensors, '\"format\":\"pack-quantized\"', quantized by compressed-tensors",
    "compressed-tensors, '\"format\":\"int-quantized\",\"config_groups\":{\"a\":{\"weights\":"
        + "{\"num_bits\":8,\"type\":\"int\"}}}', quantized by compressed-tensors (int-quantized)",
    "modelopt, '\"quant_algo\":\"NVFP4\"', quantized by modelopt (NVFP4)",
    "hqq, '\"quant_config\":{}', quantized by hqq",
    "torchao, '\"quant_type\":{}', quantized by torchao",
    "bitsandbytes, '\"load_in_8bit\":true', quantized by bitsandbytes to 8 bits"
  })
  void quantizedFoldersAreNamed(String method, String more, String message) throws IOException {
    Path file = llm.resolve("config.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    config.set(
        "quantization_config", JSON.readTree("{\"quant_method\":\"" + method + "\"," + more + "}"));
    JSON.writeValue(file.toFile(), config);
    assertThatThrownBy(() -> LlmBase.open(llm))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("Take the model that it was made from");
  }

  /** As older tools left them, with their settings in a file of their own. */
  @ParameterizedTest
  @CsvSource({
    "qweight, gptq or awq",
    "weight_packed, compressed-tensors",
    "SCB, bitsandbytes to 8 bits",
    "W_q, hqq"
  })
  void quantizedFoldersWhoseConfigDoesNotSayAreNamed(String end, String method) {
    Path file = llm.resolve("model.safetensors");
    String layer = "model.layers.1.mlp.up_proj.";
    TensorFiles.like(file, n -> n.equals(layer + "weight") ? "" : n)
        .with(layer + end, List.of(2L), 1, 2)
        .write(file);
    assertThatThrownBy(() -> LlmBase.open(llm))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("quantized by " + method);
  }
}
