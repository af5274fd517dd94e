package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.testing.Golden;

/** How configs say that layers differ, and what is refused. */
class LayerHeadsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path BASE = Golden.FOLDER.resolve("gemma4/base");

  @TempDir private Path folder;

  private LlmBase changed(Consumer<ObjectNode> change) throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(BASE.resolve("config.json").toFile());
    change.accept(config);
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    Path weights = folder.resolve("model.safetensors");
    if (!Files.exists(weights)) {
      Files.copy(BASE.resolve("model.safetensors"), weights);
    }
    return LlmBase.open(folder);
  }

  private void refuses(String message, Consumer<ObjectNode> change) {
    assertThatThrownBy(() -> changed(change))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message);
  }

  /** The published checkpoints' form, and that of transformers 5.24. */
  @Test
  void layersByTheirNumbersOrByTheirKind() throws IOException {
    LlmConfig published =
        changed(
                c -> {
                  c.remove("per_layer_config");
                  c.put("global_head_dim", 32).put("num_global_key_value_heads", 1);
                })
            .config();
    LlmConfig numbered = LlmBase.open(BASE).config();
    assertThat(published).isEqualTo(numbered);
    assertThat(numbered.rope().invFreq()).hasSize(16).endsWith(0f);
    assertThat(numbered.localRope().invFreq()).hasSize(8).doesNotContain(0f);
    // Without the word that values are keys, heads of keys are as many in each layer.
    refuses(
        "self_attn.k_proj.weight is [32, 48], but its config needs [64, 48]",
        c -> {
          c.remove("per_layer_config");
          c.put("global_head_dim", 32).put("num_global_key_value_heads", 1);
          c.put("attention_k_eq_v", false);
        });
  }

  @Test
  void refusesWhatItWouldGetWrong() {
    refuses(
        "per_layer_config says {sliding_window=3} of layer 2, of which head_dim and",
        c -> c.withObject("/per_layer_config").putObject("2").put("sliding_window", 3));
    refuses(
        "layer 3 has 4 heads over 3 key-value heads",
        c -> c.withObject("/per_layer_config").withObject("/3").put("num_key_value_heads", 3));
    refuses(
        "the last 8 of 8 layers share keys and values (num_kv_shared_layers), but no",
        c -> c.put("num_kv_shared_layers", 8));
    refuses(
        "embed_tokens_per_layer.weight is [67, 96], but its config needs [67, 0]",
        c -> c.put("hidden_size_per_layer_input", 0));
  }
}
