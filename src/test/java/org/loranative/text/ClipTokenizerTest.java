package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.testing.Golden;

class ClipTokenizerTest {
  private static final Path FOLDER = Path.of("models/emoji-sd/tokenizer");

  @Test
  void tokensAreThoseOfTransformers() throws IOException {
    JsonNode golden =
        new ObjectMapper().readTree(Golden.FOLDER.resolve("clip_tokens.json").toFile());
    assertThat(golden).hasSizeGreaterThan(5);
    try (ClipTokenizer tokenizer = ClipTokenizer.fromFolder(FOLDER)) {
      for (JsonNode row : golden) {
        int[] whole =
            StreamSupport.stream(row.path("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        assertThat(tokenizer.tokens(row.path("text").asText()))
            .as(row.path("text").asText())
            .isEqualTo(java.util.Arrays.copyOfRange(whole, 1, whole.length - 1));
      }
    }
  }

  @Test
  void longTextsTakeSeveralRows() {
    try (ClipTokenizer tokenizer = ClipTokenizer.fromFolder(FOLDER)) {
      String text = String.join(" ", IntStream.range(0, 100).mapToObj(i -> "cat").toList());
      int[] ids = tokenizer.tokens(text);
      List<int[]> rows = tokenizer.rows(text, 77);
      assertThat(rows).hasSize((ids.length + 74) / 75);
      assertThat(rows.get(0)[76]).isEqualTo(tokenizer.end());
      assertThat(rows.get(1)[0]).isEqualTo(rows.get(0)[0]);
      assertThat(tokenizer.rows("", 77)).hasSize(1);
      int[] exact = IntStream.range(0, 75).map(i -> ids[i]).toArray();
      assertThat(java.util.Arrays.copyOfRange(rows.get(0), 1, 76)).isEqualTo(exact);
    }
  }

  @Test
  void aFolderWithoutOneIsNamed(@TempDir Path folder) {
    assertThatThrownBy(() -> ClipTokenizer.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("neither vocab.json and merges.txt nor tokenizer.json");
  }
}
