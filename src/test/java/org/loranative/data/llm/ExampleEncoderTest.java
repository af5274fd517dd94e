package org.loranative.data.llm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.data.Records;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;

/** Formats, labels and what is said of records that cannot be used. */
class ExampleEncoderTest {
  private static final Path TOKENIZER = Path.of("src/test/resources/tokenizers/smollm");
  private static final Path TEMPLATES = Path.of("src/test/resources/templates");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  /** A tokenizer folder with the given chat template. */
  private Tokenizer tokenizer(String template) throws IOException {
    Path copy = folder.resolve("tokenizer-" + template);
    Files.createDirectories(copy);
    Files.copy(TOKENIZER.resolve("tokenizer.json"), copy.resolve("tokenizer.json"));
    ObjectNode config = JSON.createObjectNode();
    config.put("bos_token", "<|im_start|>").put("eos_token", "<|im_end|>");
    if (!template.isEmpty()) {
      config.put("chat_template", Files.readString(TEMPLATES.resolve(template + ".jinja")));
    }
    JSON.writeValue(copy.resolve("tokenizer_config.json").toFile(), config);
    return Tokenizers.fromFolder(copy);
  }

  private ExampleEncoder.Result encode(
      Tokenizer tokenizer, String trainOn, int maxLength, String file, String content)
      throws IOException {
    Path data = folder.resolve(file);
    Files.writeString(data, content);
    return new ExampleEncoder(tokenizer, "auto", trainOn, maxLength).encode(Records.read(data));
  }

  /** The text that is learnt: the labels in order, decoded with special tokens in place. */
  private static String learnt(Tokenizer tokenizer, Example example) {
    StringBuilder text = new StringBuilder();
    List<Integer> run = new ArrayList<>();
    for (int label : example.labels()) {
      if (label >= 0 && tokenizer.isSpecial(label)) {
        text.append(decode(tokenizer, run)).append("<").append(label).append(">");
        run.clear();
      } else if (label >= 0) {
        run.add(label);
      }
    }
    return text.append(decode(tokenizer, run)).toString();
  }

  private static String decode(Tokenizer tokenizer, List<Integer> ids) {
    return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
  }

  @Test
  void labelsEveryAnswerAndItsEndOfTurn() throws IOException {
    try (Tokenizer t = tokenizer("smollm2")) {
      String record =
          "{\"messages\":[{\"role\":\"user\",\"content\":\"yes\"},{\"role\":\"assistant\",\"content\":\"yes"
              + " 👮‍♂️\"},{\"role\":\"user\",\"content\":\"no\"},{\"role\":\"assistant\",\"content\":\"no"
              + " 12\"}]}\n";
      ExampleEncoder.Result r = encode(t, "response", 500, "a.jsonl", record);
      assertThat(r.skipped()).isEmpty();
      assertThat(learnt(t, r.examples().get(0))).isEqualTo("yes 👮‍♂️<2>no 12<2>");
      ExampleEncoder.Result all = encode(t, "all", 500, "b.jsonl", record);
      Example s = all.examples().get(0);
      assertThat(s.labelled()).isEqualTo(s.length() - 1);
    }
  }

  @Test
  void readsEveryFormat() throws IOException {
    try (Tokenizer t = tokenizer("smollm2")) {
      String answer = "hello again<2>";
      for (String record :
          List.of(
              "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},"
                  + "{\"from\":\"gpt\",\"value\":\"hello again\"}]}",
              "{\"instruction\":\"q\",\"input\":\"\",\"output\":\"hello again\"}",
              "{\"prompt\":\"q:\\n\",\"completion\":\"hello again\"}",
              "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"}]},"
                  + "{\"role\":\"assistant\",\"content\":\"hello again\"}]}")) {
        ExampleEncoder.Result r = encode(t, "auto", 200, "f.jsonl", record);
        assertThat(r.skipped()).as(record).isEmpty();
        assertThat(learnt(t, r.examples().get(0))).as(record).isEqualTo(answer);
      }
      ExampleEncoder.Result csv =
          encode(t, "auto", 200, "f.csv", "prompt,completion\n\"q,\n\",hello again\n");
      assertThat(learnt(t, csv.examples().get(0))).isEqualTo(answer);
      ExampleEncoder.Result text = encode(t, "auto", 200, "f.txt", "one\ntwo\n\nthree\n");
      assertThat(text.examples()).hasSize(2);
      Example first = text.examples().get(0);
      assertThat(first.ids()[first.length() - 1]).as("ends with eos").isEqualTo(2);
      assertThat(first.labelled()).isEqualTo(first.length() - 1);
      ExampleEncoder.Result json =
          encode(t, "auto", 200, "f.json", "[\n {\"text\": \"a b\"},\n {\"text\": \"c d\"}\n]");
      assertThat(json.examples()).extracting(s -> s.source().line()).containsExactly(2L, 3L);
    }
  }

  @Test
  void namesEveryRecordItCannotUse() throws IOException {
    try (Tokenizer t = tokenizer("smollm2")) {
      String lines =
          String.join(
              "\n",
              "{\"text\": \"fine\"}",
              "{broken",
              "{\"question\": \"x\"}",
              "{\"messages\": []}",
              "{\"messages\": [{\"role\": \"user\", \"content\": \"no answer\"}]}",
              "{\"messages\": [{\"role\": \"user\", \"content\": \""
                  + "long ".repeat(80)
                  + "\"}, {\"role\": \"assistant\", \"content\": \"late\"}]}",
              "{\"prompt\": \"q\", \"completion\": \"" + "cut ".repeat(90) + "\"}",
              "{\"conversations\": [{\"from\": \"martian\", \"value\": \"x\"}]}",
              "[1]");
      ExampleEncoder.Result r = encode(t, "auto", 60, "bad.jsonl", lines);
      assertThat(r.examples()).hasSize(2);
      assertThat(r.truncated()).isEqualTo(1);
      assertThat(r.examples().get(1).length()).isEqualTo(60);
      ExampleEncoder.Result whole = encode(t, "auto", 1000, "whole.jsonl", lines);
      assertThat(whole.truncated() + whole.lostTokens()).isZero();
      assertThat(r.lostTokens()).isEqualTo(whole.examples().get(1 + 1).length() - 60);
      List<String> said = r.skipped().stream().map(Records.Skipped::toString).sorted().toList();
      assertThat(said).hasSize(7).allMatch(s -> s.contains("bad.jsonl line "));
      assertThat(String.join("\n", said))
          .contains("line 2: not valid JSON")
          .contains("line 3: no known fields among [question]")
          .contains("line 4: the list of messages is missing or empty")
          .contains("line 5: it holds nothing to learn")
          .contains("line 6: its first answer begins after max_length = 60 tokens")
          .contains("line 8: unknown speaker \"martian\"")
          .contains("line 9: not a record");
    }
  }

  /** Whatever its length, each token of a text is learnt once, after what stands before it. */
  @Test
  void longTextBecomesSeveralSamples() throws IOException {
    try (Tokenizer t = tokenizer("smollm2")) {
      String text = "one two, three\nfour ".repeat(40).strip();
      Example whole = encode(t, "auto", 5000, "whole.txt", text).examples().get(0);
      for (int max : List.of(2, 7, whole.length() - 1, whole.length())) {
        ExampleEncoder.Result r = encode(t, "auto", max, "long.txt", text);
        assertThat(r.truncated()).isZero();
        assertThat(r.examples()).allMatch(s -> s.length() <= max && s.labelled() > 0);
        List<Integer> learnt = new ArrayList<>();
        for (Example s : r.examples()) {
          assertThat(s.ids()[0])
              .isEqualTo(learnt.isEmpty() ? whole.ids()[0] : learnt.get(learnt.size() - 1));
          for (int label : s.labels()) {
            if (label >= 0) {
              learnt.add(label);
            }
          }
        }
        assertThat(learnt)
            .containsExactlyElementsOf(
                java.util.Arrays.stream(whole.ids()).skip(1).boxed().toList());
      }
    }
  }

  @Test
  void saysThatAModelHasNoChatTemplate() throws IOException {
    try (Tokenizer t = tokenizer("")) {
      org.assertj.core.api.Assertions.assertThatThrownBy(
              () ->
                  encode(
                      t,
                      "auto",
                      60,
                      "c.jsonl",
                      "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"))
          .hasMessageContaining("no chat template");
    }
  }

  @Test
  void jsonNodesAreNotConfusedByNulls() throws Exception {
    JsonNode record = JSON.readTree("{\"text\": null}");
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> Formats.parse(record, "auto"))
        .isInstanceOf(FormatException.class);
  }
}
