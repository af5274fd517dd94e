package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.Gguf;
import org.loranative.io.JsonFile;
import org.loranative.io.TensorFile;

/** Tokenizers from GGUF metadata and from tokenizer.json give the ids of Hugging Face's. */
class TokenizerTest {
  private static final Path FOLDER = Path.of("src/test/resources/tokenizers");

  @ParameterizedTest
  @ValueSource(strings = {"smollm", "llama-bpe", "qwen2", "gpt-2", "sentencepiece"})
  void givesThePeersIds(String name) throws IOException {
    Path folder = FOLDER.resolve(name);
    JsonNode expected = new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
    Path gguf = folder.resolve("tokenizer.gguf");
    try (Tokenizer fromGguf = Tokenizers.fromGguf(gguf, Gguf.read(gguf));
        Tokenizer fromFolder = Tokenizers.fromFolder(folder)) {
      for (Tokenizer tokenizer : new Tokenizer[] {fromGguf, fromFolder}) {
        for (JsonNode e : expected) {
          check(tokenizer, e);
        }
      }
      assertThat(fromGguf.bos()).hasValue(1);
      assertThat(fromGguf.eos()).hasValue(2);
      assertThat(fromGguf.stop()).containsExactly(2);
      assertThat(fromGguf.isSpecial(1)).isTrue();
      int[] withBos = fromGguf.encode("Hello", true).ids();
      boolean adds = name.equals("sentencepiece");
      assertThat(withBos[0] == 1).isEqualTo(adds);
    }
  }

  private static void check(Tokenizer tokenizer, JsonNode e) {
    String text = e.path("text").asText();
    Tokenizer.Encoded encoded = tokenizer.encode(text, false);
    int[] ids = new int[e.path("ids").size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = e.path("ids").get(i).asInt();
    }
    assertThat(encoded.ids()).as(text).isEqualTo(ids);
    assertThat(tokenizer.decode(ids)).isEqualTo(e.path("decoded").asText());
    for (int i = 0; i < ids.length; i++) {
      int from = e.path("offsets").get(i).get(0).asInt();
      int to = e.path("offsets").get(i).get(1).asInt();
      assertThat(encoded.from()[i]).as(text).isEqualTo(text.offsetByCodePoints(0, from));
      assertThat(encoded.to()[i]).as(text).isEqualTo(text.offsetByCodePoints(0, to));
    }
  }

  @Test
  void namesAnUnknownPreTokenizer() {
    Path file = FOLDER.resolve("smollm/tokenizer.gguf");
    TensorFile known = Gguf.read(file);
    Map<String, Object> metadata = new HashMap<>(known.metadata());
    metadata.put("tokenizer.ggml.pre", "brand-new");
    assertThatThrownBy(() -> Tokenizers.fromGguf(file, new TensorFile(Map.of(), metadata)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("brand-new")
        .hasMessageContaining("Hugging Face folder");
  }

  /** A copy of the small tokenizer whose settings and extra files are given. */
  private Path folder(Path to, String config, Map<String, String> files) throws IOException {
    Files.createDirectories(to);
    Files.copy(FOLDER.resolve("smollm/tokenizer.json"), to.resolve("tokenizer.json"));
    Files.writeString(to.resolve("tokenizer_config.json"), config);
    for (Map.Entry<String, String> f : files.entrySet()) {
      Files.writeString(to.resolve(f.getKey()), f.getValue());
    }
    return to;
  }

  @Test
  void stopsWhereTheTemplateEndsATurn(@TempDir Path temp) throws IOException {
    String template = Files.readString(Path.of("src/test/resources/templates/smollm2.jinja"));
    Map<String, String> files = Map.of("chat_template.jinja", template);
    Path base = folder(temp.resolve("a"), "{\"eos_token\":\"<|endoftext|>\"}", files);
    // As some tokenizers have it, the end of turn is no special token.
    String json = Files.readString(base.resolve("tokenizer.json"));
    Files.writeString(
        base.resolve("tokenizer.json"), json.replace("\"special\":true", "\"special\":false"));
    try (Tokenizer t = Tokenizers.fromFolder(base)) {
      assertThat(t.eos()).hasValue(0);
      assertThat(t.stop()).containsExactlyInAnyOrder(0, 2);
      Path adapter = temp.resolve("adapter");
      TokenizerFiles.copy(base, NewTokens.NONE, t, adapter);
      JsonNode generation =
          new ObjectMapper().readTree(adapter.resolve("generation_config.json").toFile());
      assertThat(generation.path("eos_token_id")).extracting(JsonNode::asInt).containsExactly(0, 2);
      assertThat(adapter.resolve("chat_template.jinja")).hasContent(template);
      try (Tokenizer again = Tokenizers.fromFolder(adapter)) {
        assertThat(again.stop()).isEqualTo(t.stop());
      }
    }
  }

  @Test
  void findsEosWhereverItIsNamed(@TempDir Path temp) throws IOException {
    List<Map<String, String>> places =
        List.of(
            Map.of("special_tokens_map.json", "{\"eos_token\":{\"content\":\"<|im_end|>\"}}"),
            Map.of("config.json", "{\"eos_token_id\":2}"),
            Map.of("generation_config.json", "{\"eos_token_id\":[2,0]}"));
    for (Map<String, String> files : places) {
      Path base = folder(temp.resolve(files.keySet().iterator().next()), "{}", files);
      try (Tokenizer t = Tokenizers.fromFolder(base)) {
        assertThat(t.eos()).as("%s", files).hasValue(2);
      }
    }
    try (Tokenizer t = Tokenizers.fromFolder(folder(temp.resolve("none"), "{}", Map.of()))) {
      assertThat(t.eos()).isEmpty();
    }
  }

  /** Where a file has the merges themselves, and no scores are needed (Gemma 4). */
  @Test
  void piecesMayComeWithTheirMerges() throws IOException {
    Path folder = FOLDER.resolve("sentencepiece");
    Path gguf = folder.resolve("tokenizer.gguf");
    Map<String, Object> scored = new HashMap<>(Gguf.read(gguf).metadata());
    scored.put("tokenizer.ggml.add_space_prefix", false);
    Map<String, Object> merged = new HashMap<>(scored);
    merged.put("tokenizer.ggml.model", "gemma4");
    merged.remove("tokenizer.ggml.scores");
    List<String> merges = new ArrayList<>();
    JsonFile.read(folder.resolve("tokenizer.json"))
        .path("model")
        .path("merges")
        .forEach(
            m ->
                merges.add(
                    m.isArray() ? m.path(0).asText() + " " + m.path(1).asText() : m.asText()));
    assertThat(merges).hasSizeGreaterThan(100);
    merged.put("tokenizer.ggml.merges", merges);
    try (Tokenizer a = Tokenizers.fromGguf(gguf, new TensorFile(Map.of(), scored));
        Tokenizer b = Tokenizers.fromGguf(gguf, new TensorFile(Map.of(), merged))) {
      for (String text : List.of("Hello, world", "  two\n\nlines\t of déjà vu ☃", "a", "")) {
        assertThat(b.encode(text, true).ids()).as(text).isEqualTo(a.encode(text, true).ids());
        assertThat(b.decode(b.encode(text, false).ids())).isEqualTo(text);
      }
    }
  }

  @Test
  void writesTheTokenizerOfAGgufAsAFolder(@TempDir Path to) throws IOException {
    Path gguf = FOLDER.resolve("sentencepiece/tokenizer.gguf");
    TensorFile file = Gguf.read(gguf);
    try (Tokenizer t = Tokenizers.fromGguf(gguf, file)) {
      TokenizerFiles.fromGguf(gguf, file, NewTokens.NONE, t, to);
      try (Tokenizer again = Tokenizers.fromFolder(to)) {
        assertThat(again.encode("Zürich, hello", true).ids())
            .isEqualTo(t.encode("Zürich, hello", true).ids());
        assertThat(again.stop()).isEqualTo(t.stop());
      }
    }
  }

  @Test
  void addsNoSecondBos() {
    Path gguf = FOLDER.resolve("sentencepiece/tokenizer.gguf");
    try (Tokenizer t = Tokenizers.fromGguf(gguf, Gguf.read(gguf))) {
      Tokenizer.Encoded encoded = t.encode("<s>Hello", true);
      assertThat(encoded.ids()).startsWith(1);
      assertThat(encoded.ids()[1]).isNotEqualTo(1);
      assertThat(encoded.to()[0]).as("the text's own").isEqualTo(3);
      assertThat(t.encode("<s>Hello", false).ids()).isEqualTo(encoded.ids());
    }
  }

  @Test
  void readsHalfASurrogatePair() {
    try (Tokenizer t = Tokenizers.fromFolder(FOLDER.resolve("smollm"))) {
      Tokenizer.Encoded encoded = t.encode("a \uD83D b \uDC6E \uD83D\uDC6E", false);
      assertThat(t.decode(encoded.ids())).isEqualTo("a \uFFFD b \uFFFD \uD83D\uDC6E");
      assertThat(encoded.to()[encoded.to().length - 1]).isEqualTo(10);
    }
  }

  /** In the native library each of these would end the process. */
  @ParameterizedTest
  @ValueSource(strings = {"(a+)+$", "(a|aa)+$", "(a+)+b", "(a+a+)+b"})
  void namesARegexThatDoesNotEnd(String regex, @TempDir Path temp) throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode tokenizer = json.readTree(FOLDER.resolve("llama-bpe/tokenizer.json").toFile());
    ObjectNode pattern = (ObjectNode) tokenizer.at("/pre_tokenizer/pretokenizers/0/pattern");
    pattern.put("Regex", regex);
    json.writeValue(temp.resolve("tokenizer.json").toFile(), tokenizer);
    try (Tokenizer t = Tokenizers.fromFolder(temp)) {
      assertThat(t.encode("b aa b", false).ids()).isNotEmpty();
      assertThatThrownBy(() -> t.encode("a".repeat(38) + "!", false))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("does not come to an end on this text: " + regex);
    }
  }
}
