package org.loranative.data.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.loranative.text.ChatTemplate;

/** What is learnt of conversations, by the templates' own marks and without. */
class TurnsTest {
  private static final Path TEMPLATES = Path.of("src/test/resources/templates");
  private static final Path TURNS = Path.of("src/test/resources/turns");
  private static final ObjectMapper JSON = new ObjectMapper();

  private static ChatTemplate template(String text) {
    return new ChatTemplate("test", text, Optional.of("<s>"), Optional.of("</s>"));
  }

  private static Turns turns(ChatTemplate template, String record) throws Exception {
    return Turns.of(
        template, (Formats.Conversation) Formats.parse(JSON.readTree(record), "messages"), false);
  }

  private static List<String> learnt(Turns turns) {
    return turns.learnt().stream().map(s -> s.of(turns.text())).toList();
  }

  /** A template of the resources, and a record as the messages of its test. */
  private static List<String> learnt(String name, String messages) throws Exception {
    return learnt(
        turns(
            template(Files.readString(TURNS.resolve(name))), "{\"messages\":[" + messages + "]}"));
  }

  private static String user(String content) {
    return "{\"role\":\"user\",\"content\":\"" + content + "\"},";
  }

  private static String answer(String content) {
    return "{\"role\":\"assistant\",\"content\":\"" + content + "\"}";
  }

  @TestFactory
  Stream<DynamicTest> learnsWhatTrlMarks() throws IOException {
    JsonNode all = JSON.readTree(TURNS.resolve("learnt.json").toFile());
    return StreamSupport.stream(all.spliterator(), false)
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.path("template").asText() + " " + c.path("name").asText(), () -> check(c)));
  }

  /** Spans begin and end where TRL's do, white space behind the end of turn aside. */
  private static void check(JsonNode c) throws Exception {
    String name = c.path("template").asText();
    ChatTemplate template = template(Files.readString(TEMPLATES.resolve(name + ".jinja")));
    Turns turns = turns(template, c.toString());
    assertThat(turns.text()).isEqualTo(c.path("text").asText());
    List<String> theirs = new ArrayList<>();
    for (JsonNode span : c.path("learnt")) {
      theirs.add(span.asText().strip());
    }
    assertThat(learnt(turns).stream().map(String::strip)).isEqualTo(theirs);
  }

  @Test
  void learnsTheAnswerWhereReasoningIsCutOff() throws Exception {
    String messages =
        user("Which option, a or b?")
            + answer("<think>\\nboth fit\\n</think>\\n\\na")
            + ","
            + user("And the next one?")
            + answer("<think>\\nsecond now\\n</think>\\n\\nb");
    String last = "<think>\nsecond now\n</think>\n\nb<|im_end|>";
    assertThat(learnt("last-reasoning.jinja", messages)).containsExactly("a<|im_end|>", last);
    assertThat(
            learnt(
                turns(
                    template(Files.readString(TEMPLATES.resolve("qwen3.jinja"))),
                    "{\"messages\":[" + messages + "]}")))
        .containsExactly("a<|im_end|>", last);
    String t = user("s, t or u?") + answer("<think>\\nt is shorter\\n</think>\\n\\nt");
    assertThat(learnt("no-reasoning.jinja", t)).containsExactly("t<|im_end|>");
  }

  @Test
  void saysThatReasoningIsNotInTheText() throws Exception {
    ChatTemplate template = template(Files.readString(TURNS.resolve("no-reasoning.jinja")));
    String record =
        "{\"messages\":[" + user("s or t?") + answer("<think>\\nhm\\n</think>\\n\\nt") + "]}";
    assertThat(turns(template, record).lost()).containsExactly("the reasoning");
    String plain = "{\"messages\":[" + user("s or t?") + answer("t") + "]}";
    assertThat(turns(template, plain).lost()).isEmpty();
  }

  /** The template puts line breaks where the record has none. */
  @Test
  void learnsReasoningHoweverItIsSpaced() throws Exception {
    String messages = user("Is 21 a prime?") + answer("<think>3 times 7 is 21</think>No.");
    assertThat(learnt("last-reasoning.jinja", messages))
        .containsExactly("<think>\n3 times 7 is 21\n</think>\n\nNo.<|im_end|>");
  }

  /** The template opens reasoning that it does not write again; the answer begins with blanks. */
  @Test
  void learnsBlanksAtAnAnswersStart() throws Exception {
    String messages = user("Write C") + answer("  int main(){}");
    assertThat(learnt("no-reasoning.jinja", messages)).containsExactly("  int main(){}<|im_end|>");
    String record = "{\"messages\":[" + user("say blue") + answer("blue") + "]}";
    assertThat(
            learnt(turns(template(Files.readString(TEMPLATES.resolve("mistral.jinja"))), record)))
        .as("where nothing opens a turn, all of it is the answer")
        .containsExactly(" blue</s>");
  }

  /** What a template writes behind the turn's end, TRL's masks of some templates hold too. */
  @Test
  void learnsToTheTurnsEndAndNoFurther() throws Exception {
    String record = "{\"messages\":[" + user("say blue") + answer("blue") + "]}";
    Map<String, String> ends =
        Map.of("phi3", "<|end|>", "qwen2.5", "<|im_end|>", "llama3", "<|eot_id|>");
    for (String name : ends.keySet()) {
      String text = Files.readString(TEMPLATES.resolve(name + ".jinja"));
      assertThat(learnt(turns(template(text), record)))
          .as(name)
          .containsExactly("blue" + ends.get(name));
    }
  }

  /** The prompt opens reasoning that the answer then has none of. */
  @Test
  void learnsNothingThatThePromptHolds() throws Exception {
    String record = "{\"messages\":[" + user("say blue") + answer("blue") + "]}";
    Map<String, String> learnt =
        Map.of(
            "<think></think>", "</think>blue<|im_end|>",
            "<think>\\n\\n</think>\\n\\n", "\n</think>\n\nblue<|im_end|>");
    for (String none : learnt.keySet()) {
      String opened =
          "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{{ \""
              + none
              + "\" }}{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
              + "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}";
      assertThat(learnt(turns(template(opened), record))).containsExactly(learnt.get(none));
    }
  }

  /** A template that opens its answers with empty reasoning, and one that calls it otherwise. */
  @Test
  void learnsReasoningWhateverItsName() throws Exception {
    String closed =
        "{% for m in messages %}<{{ m.role }}>{% if m.reasoning_content %}<think>"
            + "{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}</s>{% endfor %}"
            + "{% if add_generation_prompt %}<assistant><think></think>{% endif %}";
    for (String name : List.of("reasoning_content", "thinking", "reasoning")) {
      String record =
          "{\"messages\":["
              + user("q")
              + "{\"role\":\"assistant\",\"content\":\"No.\",\""
              + name
              + "\":\"3 times 7\"}]}";
      Turns turns = turns(template(closed), record);
      assertThat(learnt(turns)).as(name).containsExactly("3 times 7</think>No.</s>");
      assertThat(turns.lost()).isEmpty();
      assertThat(
              learnt(turns(template(closed.replace("m.reasoning_content", "m.thinking")), record)))
          .containsExactly("3 times 7</think>No.</s>");
    }
  }

  @Test
  void learnsCallsAndReasoningAndLeavesOutWeightZero() throws Exception {
    ChatTemplate template = template(Files.readString(TURNS.resolve("tools.jinja")));
    List<String> records = Files.readAllLines(TURNS.resolve("tools.jsonl"));
    String call =
        "<tool_call>\n{\"name\": \"temperature\", \"arguments\": {\"place\": \"%s\"}}\n"
            + "</tool_call><|im_end|>";
    Turns tools = turns(template, records.get(0));
    assertThat(tools.text()).startsWith("<|im_start|>system\nTools: [{\"type\": \"function\"");
    assertThat(tools.lost()).isEmpty();
    assertThat(learnt(tools))
        .containsExactly(String.format(call, "Bergen"), "Nine degrees.<|im_end|>");
    assertThat(learnt(turns(template, records.get(1))))
        .as("content: null, arguments as values")
        .containsExactly(String.format(call, "Oslo"), "Three degrees.<|im_end|>");
    String asText =
        records.get(1).replace("{\"place\":\"Oslo\"}", "\"{\\\"place\\\": \\\"Oslo\\\"}\"");
    assertThat(learnt(turns(template, asText)).get(0))
        .as("arguments as OpenAI writes them")
        .isEqualTo(String.format(call, "Oslo"));
    assertThat(learnt(turns(template, records.get(2))))
        .containsExactly("<think>\n3 times 7 is 21\n</think>\n\nNo.<|im_end|>");
    assertThat(learnt(turns(template, records.get(3)))).containsExactly("a right answer<|im_end|>");
  }

  @Test
  void honoursLossMasks() throws Exception {
    String marked =
        user("a")
            + "{\"role\":\"assistant\",\"content\":\"b\",\"loss_mask\":0},"
            + user("c")
            + answer("d");
    for (String name : List.of("last-reasoning.jinja", "marked.jinja")) {
      assertThat(learnt(name, marked)).as(name).containsExactly("d<|im_end|>");
    }
    ChatTemplate template = template(Files.readString(TURNS.resolve("marked.jinja")));
    String list =
        "{\"messages\":["
            + user("a")
            + answer("b")
            + ","
            + user("c")
            + answer("d")
            + "],\"loss_mask\":[0,1,0,0]}";
    assertThat(learnt(turns(template, list))).containsExactly("b<|im_end|>");
    assertThatThrownBy(() -> turns(template, marked(0.5)))
        .isInstanceOf(FormatException.class)
        .hasMessage("message 2 has the weight 0.5, but only 0 and 1 are understood");
  }

  private static String marked(double weight) {
    return "{\"messages\":["
        + user("a")
        + "{\"role\":\"assistant\",\"content\":\"b\",\"weight\":"
        + weight
        + "}]}";
  }

  @Test
  void takesTheTemplatesOwnMarks() throws Exception {
    assertThat(learnt("marked.jinja", user("say b") + answer(" b ")))
        .containsExactly(" b <|im_end|>");
  }

  @Test
  void refusesWhatWouldTeachSomethingFalse() throws Exception {
    List<String> records = Files.readAllLines(TURNS.resolve("tools.jsonl"));
    ChatTemplate noTools = template(Files.readString(TEMPLATES.resolve("smollm2.jinja")));
    assertThatThrownBy(() -> turns(noTools, records.get(0)))
        .hasMessageContaining("does not write tool_calls (message 2)");
    assertThatThrownBy(() -> turns(noTools, records.get(0).replace("tool_calls", "function_call")))
        .hasMessageContaining("function_call, OpenAI's former name");
    String kept =
        "{% set ns = namespace(all='') %}{% for m in messages %}{% set ns.all = ns.all + m.role +"
            + " ':' + m.content + '</s>' %}{% endfor %}{{ ns.all }}";
    String record = "{\"messages\":[" + user("q") + answer("a") + "]}";
    assertThatThrownBy(() -> turns(template(kept), record))
        .hasMessageContaining("cannot be told from its text")
        .hasMessageContaining("train_on: all");
    String within =
        "{% for m in messages %}{% if m.role != 'tool' %}{{ m.role }}: {{ m.content }}"
            + "{% if loop.nextitem and loop.nextitem.role == 'tool' %}"
            + "[{{ loop.nextitem.content }}]{% endif %}</s>{% endif %}{% endfor %}";
    String tool =
        "{\"messages\":["
            + user("q")
            + answer("wait")
            + ",{\"role\":\"tool\",\"content\":\"nine\"},"
            + answer("a")
            + "]}";
    assertThatThrownBy(() -> turns(template(within), tool))
        .hasMessageContaining("writes message 3 (tool) within an answer");
  }
}
