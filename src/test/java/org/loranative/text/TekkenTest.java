package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** The beginning of Mistral's own file, by make_tekken_golden.py. */
@ExtendWith(Seeded.class)
class TekkenTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("tekken");

  @TempDir Path folder;

  @Test
  void cutsTextsAndConversationsAsMistralCommonDoes() {
    JsonNode rows = JsonFile.read(FOLDER.resolve("ids.json"));
    assertThat(rows.path("plain")).hasSizeGreaterThan(10);
    assertThat(rows.path("chats")).hasSize(3);
    try (Tokenizer tokenizer = Tokenizers.fromFolder(FOLDER)) {
      for (String kind : new String[] {"plain", "chats"}) {
        for (JsonNode row : rows.path(kind)) {
          String text = row.path("text").asText();
          int[] ids = tokenizer.encode(text, false).ids();
          assertThat(ids).as(text).isEqualTo(ids(row));
          if (kind.equals("plain")) {
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
          }
        }
      }
      assertThat(tokenizer.encode("x", true).ids()[0]).isEqualTo(1);
      assertThat(tokenizer.bos()).hasValue(1);
      assertThat(tokenizer.eos()).hasValue(2);
      assertThat(tokenizer.isAdded(tokenizer.encode("[TOOL_CALLS]", false).ids()[0])).isTrue();
      assertThat(tokenizer.encode("<SPECIAL_23>", false).ids()).containsExactly(23);
    }
  }

  private static int[] ids(JsonNode row) {
    return StreamSupport.stream(row.path("ids").spliterator(), false)
        .mapToInt(JsonNode::asInt)
        .toArray();
  }

  /** The file of Mistral Nemo names no special tokens; these are meant. */
  @Test
  void specialTokensMayBeLeftOut() throws Exception {
    change(json -> json.remove("special_tokens"));
    try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
      JsonNode rows = JsonFile.read(FOLDER.resolve("ids.json"));
      for (JsonNode row : rows.path("chats")) {
        assertThat(tokenizer.encode(row.path("text").asText(), false).ids()).isEqualTo(ids(row));
      }
    }
  }

  @Test
  void whatIsAmissIsSaid() throws Exception {
    change(json -> ((ObjectNode) json.path("config")).remove("pattern"));
    refused("config.pattern");
    change(json -> ((ObjectNode) json.path("config")).put("default_vocab_size", 10000));
    refused("760 tokens");
    change(json -> ((ObjectNode) json.path("config")).put("default_num_special_tokens", 3));
    refused("default_num_special_tokens is 3");
    change(json -> ((ObjectNode) json.path("vocab").get(300)).put("token_bytes", "?"));
    refused("rank 300");
    change(json -> ((ObjectNode) json.path("vocab").get(7)).put("token_bytes", "AA=="));
    refused("rank 7");
    change(json -> ((ObjectNode) json.path("special_tokens").get(4)).put("token_str", "<s>"));
    refused("\"<s>\"");
    change(json -> ((ObjectNode) json.path("special_tokens").get(4)).put("rank", 5));
    refused("special token 4");
  }

  private void change(Consumer<ObjectNode> change) throws Exception {
    ObjectNode json = (ObjectNode) JsonFile.read(FOLDER.resolve(Tekken.FILE));
    change.accept(json);
    JsonFile.write(folder.resolve(Tekken.FILE), json);
  }

  private void refused(String why) {
    assertThatThrownBy(() -> Tokenizers.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(Tekken.FILE)
        .hasMessageContaining(why);
  }

  /** Bytes changed or cut off: a tokenizer or a sentence, nothing else. */
  @Test
  void brokenFilesAreRefused(Random random) throws Exception {
    byte[] whole = Files.readAllBytes(FOLDER.resolve(Tekken.FILE));
    for (int i = 0; i < 100; i++) {
      byte[] broken =
          Arrays.copyOf(whole, random.nextInt(4) > 0 ? whole.length : random.nextInt(whole.length));
      for (int k = 0; k < 1 + random.nextInt(8) && broken.length > 0; k++) {
        broken[random.nextInt(broken.length)] = (byte) (32 + random.nextInt(95));
      }
      Files.write(folder.resolve(Tekken.FILE), broken);
      Throwable thrown =
          catchThrowable(
              () -> {
                try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
                  tokenizer.encode("some words <s>", true);
                }
              });
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(UserException.class).hasMessageContaining(folder + "");
      }
    }
  }
}
