package org.loranative.data.llm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.data.Records;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;

/**
 * Of templates that mark answers with {@code {% generation %}}, the tokens that are learnt are
 * those of transformers' assistant mask, token by token ({@code make_marks_golden.py}).
 */
class MarksTest {
  private static final Path RESOURCES = Path.of("src/test/resources");
  private static final Path MARKS = RESOURCES.resolve("turns/marks");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @TestFactory
  Stream<DynamicTest> learnsTransformersMask() throws IOException {
    JsonNode all = JSON.readTree(MARKS.resolve("golden.json").toFile());
    return StreamSupport.stream(all.spliterator(), false)
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.path("template").asText() + " " + c.path("name").asText(), () -> check(c)));
  }

  private void check(JsonNode c) throws IOException {
    Path record = folder.resolve("record.jsonl");
    ObjectNode fields = JSON.createObjectNode();
    fields.set("messages", c.path("messages"));
    fields.set("tools", c.path("tools"));
    Files.writeString(record, fields + "\n");
    try (Tokenizer tokenizer = tokenizer(c.path("template").asText())) {
      ExampleEncoder.Result result =
          new ExampleEncoder(tokenizer, "auto", "response", 10_000).encode(Records.read(record));
      assertThat(result.skipped()).isEmpty();
      Example example = result.examples().get(0);
      assertThat(list(example.ids())).isEqualTo(list(c.path("ids")));
      List<Integer> learnt = new ArrayList<>();
      for (int i = 0; i < example.length(); i++) {
        if (example.labels()[i] >= 0) {
          learnt.add(i + 1); // a label is the token behind
        }
      }
      assertThat(learnt).isEqualTo(list(c.path("learnt")));
    }
  }

  private Tokenizer tokenizer(String template) throws IOException {
    Path copy = Files.createDirectories(folder.resolve(template));
    Files.write(
        copy.resolve("tokenizer.json"),
        Files.readAllBytes(RESOURCES.resolve("tokenizers/smollm/tokenizer.json")));
    Files.writeString(
        copy.resolve("tokenizer_config.json"),
        "{\"bos_token\":\"<|im_start|>\",\"eos_token\":\"<|im_end|>\"}");
    Tokenizer tokenizer = Tokenizers.fromFolder(copy);
    Path marked = MARKS.resolve(template + ".jinja");
    tokenizer.setChatTemplate(marked.toString(), Files.readString(marked));
    return tokenizer;
  }

  private static List<Integer> list(int[] ids) {
    return Arrays.stream(ids).boxed().toList();
  }

  private static List<Integer> list(JsonNode ids) {
    return StreamSupport.stream(ids.spliterator(), false).map(JsonNode::asInt).toList();
  }
}
