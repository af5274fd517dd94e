package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Models that sentencepiece trained, by make_spbpe_golden.py. */
@ExtendWith(Seeded.class)
class TokenizerModelTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("spbpe");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"llama", "gemma", "defined", "unigram", "unknown", "added", "legacy"})
  void cutsTextsAsSentencepieceAndTransformersDo(String name) {
    JsonNode rows = JsonFile.read(FOLDER.resolve(name).resolve("ids.json"));
    assertThat(rows.path("plain").size() + rows.path("special").size()).isGreaterThan(5);
    try (Tokenizer tokenizer = Tokenizers.fromFolder(FOLDER.resolve(name))) {
      for (JsonNode row : rows.path("plain")) {
        String text = row.path("text").asText();
        int[] ids = tokenizer.encode(text, false).ids();
        assertThat(ids).as(text).isEqualTo(ids(row));
        if (!name.equals("unknown")) {
          assertThat(tokenizer.decode(ids)).as(text).isEqualTo(row.path("decoded").asText());
        }
      }
      for (JsonNode row : rows.path("special")) {
        String text = row.path("text").asText();
        assertThat(tokenizer.encode(text, true).ids()).as(text).isEqualTo(ids(row));
      }
    }
  }

  private static int[] ids(JsonNode row) {
    return StreamSupport.stream(row.path("ids").spliterator(), false)
        .mapToInt(JsonNode::asInt)
        .toArray();
  }

  /** What is trained of an answer goes by these. */
  @Test
  void tokensKnowWhereTheyStandInTheText() {
    String text = " two  words 🐙<s>and\n";
    for (String name : List.of("llama", "gemma")) {
      try (Tokenizer tokenizer = Tokenizers.fromFolder(FOLDER.resolve(name))) {
        Tokenizer.Encoded encoded = tokenizer.encode(text, false);
        assertThat(encoded.to()[encoded.to().length - 1]).isEqualTo(text.length());
        for (int i = 0; i < encoded.ids().length; i++) {
          if (encoded.ids()[i] == tokenizer.bos().getAsInt()) {
            assertThat(text.substring(encoded.from()[i], encoded.to()[i])).isEqualTo("<s>");
          }
        }
      }
    }
  }

  @Test
  void withoutOtherFilesATextBeginsWithTheModelsOwnToken() {
    try (Tokenizer llama = Tokenizers.fromFolder(FOLDER.resolve("llama"));
        Tokenizer gemma = Tokenizers.fromFolder(FOLDER.resolve("gemma"))) {
      assertThat(llama.encode("x", true).ids()[0]).isEqualTo(1);
      assertThat(llama.eos()).hasValue(2);
      assertThat(gemma.encode("x", true).ids()[0]).isEqualTo(2);
      assertThat(gemma.eos()).hasValue(1);
      assertThat(gemma.isAdded(gemma.encode("<b>", false).ids()[0])).isTrue();
    }
  }

  /** Behind the vocabulary, too, a token has the id that its file gives it. */
  @Test
  void addedTokensMayLeaveAHole() throws Exception {
    Files.copy(
        FOLDER.resolve("llama").resolve(TokenizerModel.FILE), folder.resolve(TokenizerModel.FILE));
    Files.writeString(folder.resolve("added_tokens.json"), "{\"<far>\": 700, \"<near>\": 520}");
    try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
      assertThat(tokenizer.encode("<far><near>", false).ids()).containsExactly(700, 520);
      assertThat(tokenizer.text(700)).isEqualTo("<far>");
    }
  }

  @Test
  void aTokenThatIsTwoIsRefused() throws Exception {
    Files.copy(
        FOLDER.resolve("llama").resolve(TokenizerModel.FILE), folder.resolve(TokenizerModel.FILE));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"added_tokens_decoder\": {\"600\": {\"content\": \"</s>\"}}}");
    assertThatThrownBy(() -> Tokenizers.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("600")
        .hasMessageContaining("token 2");
  }

  @Test
  void otherFilesAreRefused() throws Exception {
    Path file = folder.resolve(TokenizerModel.FILE);
    Files.writeString(file, "not a model");
    assertThatThrownBy(() -> Tokenizers.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file.toString());
    Files.writeString(file, "IQ== 0\nIg== 1\n");
    assertThatThrownBy(() -> Tokenizers.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("tiktoken");
    Files.write(file, new byte[0]);
    assertThatThrownBy(() -> Tokenizers.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("no pieces");
  }

  /** Bytes changed or cut off: a tokenizer or a sentence, nothing else. */
  @Test
  void brokenFilesAreRefused(Random random) throws Exception {
    byte[] whole = Files.readAllBytes(FOLDER.resolve("unknown").resolve(TokenizerModel.FILE));
    Path file = folder.resolve(TokenizerModel.FILE);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] broken =
          Arrays.copyOf(whole, random.nextBoolean() ? whole.length : random.nextInt(whole.length));
      for (int k = 0; k < random.nextInt(8) && broken.length > 0; k++) {
        broken[random.nextInt(Math.min(broken.length, 12000))] = (byte) random.nextInt();
      }
      Files.write(file, broken);
      Throwable thrown =
          catchThrowable(
              () -> {
                try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
                  tokenizer.encode("some words <s>", true);
                }
              });
      if (thrown != null) {
        refused++;
        assertThat(thrown).isInstanceOf(UserException.class).hasMessageContaining(folder + "");
        assertThat(thrown.getMessage()).doesNotContain("\n");
      }
    }
    assertThat(refused).isBetween(100, 300);
  }

  @Test
  void anyOfSomeWordsIsTheLongest(Random random) {
    List<String> words = random.ints(20, 1, 5).mapToObj(n -> word(random, n)).distinct().toList();
    Pattern pattern = Pattern.compile(AnyOf.regex(words));
    for (int i = 0; i < 200; i++) {
      String text = word(random, random.nextInt(12));
      Matcher matcher = pattern.matcher(text);
      for (int at = 0; at < text.length(); at++) {
        String rest = text.substring(at);
        String expected =
            words.stream()
                .filter(rest::startsWith)
                .reduce("", (a, b) -> a.length() > b.length() ? a : b);
        matcher.region(at, text.length());
        assertThat(matcher.lookingAt() ? matcher.group() : "").isEqualTo(expected);
      }
    }
  }

  private static String word(Random random, int length) {
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < length; i++) {
      word.append("▁<\n|".charAt(random.nextInt(4)));
    }
    return word.toString();
  }
}
