package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;

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

  private static void expectRows(ClipTokenizer tokenizer, String kind) throws IOException {
    JsonNode golden =
        new ObjectMapper().readTree(Golden.FOLDER.resolve("clip_vocabulary.json").toFile());
    assertThat(golden.path(kind)).hasSizeGreaterThan(2);
    for (JsonNode row : golden.path(kind)) {
      int[] ids =
          StreamSupport.stream(row.path("ids").spliterator(), false)
              .mapToInt(JsonNode::asInt)
              .toArray();
      String text = row.path("text").asText();
      assertThat(tokenizer.rows(text, 77)).as(text).singleElement().isEqualTo(ids);
    }
  }

  @Test
  void clipsOwnVocabularyIsBuiltIn() throws IOException {
    try (ClipTokenizer clip = ClipTokenizer.builtIn(false);
        ClipTokenizer openClip = ClipTokenizer.builtIn(true)) {
      expectRows(clip, "own");
      assertThat(openClip.rows("a cat", 6).get(0)).containsExactly(49406, 320, 2368, 49407, 0, 0);
    }
  }

  /** Stable Diffusion 2 pads with "!", which only special_tokens_map.json says. */
  @Test
  void specialTokensMapGoesBeforeTheConfig(@TempDir Path folder) throws IOException {
    TensorFiles.copy(FOLDER, folder);
    Path map = folder.resolve("special_tokens_map.json");
    Files.writeString(
        map, "{\"pad_token\": \"!\", \"eos_token\": {\"content\": \"<|endoftext|>\"}}");
    try (ClipTokenizer tokenizer = ClipTokenizer.fromFolder(folder)) {
      expectRows(tokenizer, "bang");
    }
    // A config that lists its tokens itself is the whole truth.
    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(
        config, Files.readString(config).replaceFirst("\\{", "{\"added_tokens_decoder\": {},"));
    try (ClipTokenizer tokenizer = ClipTokenizer.fromFolder(folder)) {
      assertThat(tokenizer.rows("", 4).get(0)[3]).isEqualTo(tokenizer.end());
    }
  }

  @Test
  void aFolderWithoutOneIsNamed(@TempDir Path folder) {
    assertThatThrownBy(() -> ClipTokenizer.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("neither vocab.json and merges.txt nor tokenizer.json");
  }
}
