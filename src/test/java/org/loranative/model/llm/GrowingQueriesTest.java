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
import org.loranative.graph.ops.RopeTable;
import org.loranative.testing.Golden;

/** How configs say that queries grow with their position, and what is refused. */
class GrowingQueriesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path MODEL = Golden.FOLDER.resolve("ministral3");

  @TempDir private Path folder;

  private RopeSpec rope(Consumer<ObjectNode> change) throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(MODEL.resolve("base/config.json").toFile());
    change.accept((ObjectNode) config.get("rope_parameters"));
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    Path weights = folder.resolve("model.safetensors");
    if (!Files.exists(weights)) {
      Files.copy(MODEL.resolve("base/model.safetensors"), weights);
    }
    return LlmBase.open(folder).config().rope();
  }

  private void refuses(String message, Consumer<ObjectNode> change) {
    assertThatThrownBy(() -> rope(change))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message);
  }

  @Test
  void folderAndGgufAgree() throws IOException {
    RopeTable.Growth growth = new RopeTable.Growth(0.3f, 6);
    assertThat(rope(r -> {}).growth()).isEqualTo(growth);
    assertThat(LlmBase.open(MODEL.resolve("base.gguf")).config().rope().growth()).isEqualTo(growth);
    assertThat(rope(r -> r.put("llama_4_scaling_beta", 0)).growth())
        .isEqualTo(RopeTable.Growth.NONE);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    refuses("must be a number above 0", r -> r.put("llama_4_scaling_beta", -0.1));
    refuses("at least 1", r -> r.put("original_max_position_embeddings", 0));
    refuses("lacks \"original_max", r -> r.remove("original_max_position_embeddings"));
    refuses("all channels of all layers' heads turn", r -> r.put("partial_rotary_factor", 0.5));
  }
}
