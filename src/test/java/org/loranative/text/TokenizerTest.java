package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.Gguf;
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
}
