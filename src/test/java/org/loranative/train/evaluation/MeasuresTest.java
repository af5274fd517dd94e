package org.loranative.train.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.data.llm.Example;
import org.loranative.data.llm.ExampleEncoder;
import org.loranative.export.AdapterSource;
import org.loranative.testing.TinyAdapter;
import org.loranative.testing.TinyModel;
import org.loranative.train.llm.Answers;
import org.loranative.train.machine.Machine;

/** Measures on a tiny model and an adapter of it, against what its logits and answers say. */
class MeasuresTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path folder;
  private static Answers base;
  private static Answers both;

  @BeforeAll
  static void open() throws IOException {
    Path model = TinyModel.write(folder.resolve("base"));
    Path adapter = TinyAdapter.train(model, folder.resolve("a"));
    Machine cpu = Machine.of("cpu", "f32");
    base = new Answers(model, List.of(), cpu);
    both = new Answers(model, List.of(new AdapterSource(adapter, 1)), cpu);
  }

  @AfterAll
  static void close() {
    base.close();
    both.close();
  }

  private static HeldOut data(int maxLength, Optional<String> system, List<String> lines)
      throws IOException {
    Path file = Files.createTempFile(folder, "held", ".jsonl");
    Files.write(file, lines);
    return new HeldOut(file, Records.read(file), "auto", system, maxLength);
  }

  private static HeldOut data(String... lines) throws IOException {
    return data(1024, Optional.empty(), List.of(lines));
  }

  private static String json(Object value) throws IOException {
    return JSON.writeValueAsString(value);
  }

  private static Exam<?> exam(Measure measure) {
    return measure.exam(both.tokenizer(), OptionalInt.empty());
  }

  private static Result run(Measure measure) {
    return new Evaluation(List.of(measure)).run(both, true).get(0);
  }

  /** −log p of the labels, f64. */
  private static double nats(Answers model, Example example) {
    float[][] logits = model.logits(example.ids());
    double sum = 0;
    for (int t = 0; t < example.length(); t++) {
      if (example.labels()[t] >= 0) {
        double all = 0;
        for (float z : logits[t]) {
          all += Math.exp(z);
        }
        sum += Math.log(all) - logits[t][example.labels()[t]];
      }
    }
    return sum;
  }

  private static final String[] RECORDS = {
    "{\"prompt\": \"what? \", \"completion\": \"that and this\"}",
    "{\"instruction\": \"say\", \"input\": \"it\", \"output\": \"there it is\"}",
    "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}, {\"role\": \"assistant\","
        + " \"content\": \"hello\"}, {\"role\": \"user\", \"content\": \"more\"}, {\"role\":"
        + " \"assistant\", \"content\": \"no"
        + " more of it".repeat(60)
        + "\"}]}",
    "{\"text\": \"" + "one two three four five six seven ".repeat(12) + "\"}",
    "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\","
        + " \"value\": \"b c\"}]}",
    "{\"nothing\": 1}"
  };

  /** The tokens are those of training, and the numbers those of the logits of each model. */
  @Test
  void perplexityIsThatOfTheLogits() throws IOException {
    HeldOut data = data(200, Optional.empty(), List.of(RECORDS));
    Result result = run(new Perplexity(data, "auto"));
    List<Example> examples =
        new ExampleEncoder(both.tokenizer(), "auto", "auto", 200).encode(data.records()).examples();
    double[] nats = new double[2];
    int tokens = 0;
    for (Example e : examples) {
      nats[0] += nats(base, e);
      nats[1] += nats(both, e);
      tokens += e.labelled();
    }
    assertThat(result.records()).hasSize(5);
    assertThat(examples.size()).as("the text is longer than an example").isGreaterThan(5);
    assertThat(result.size()).isEqualTo("5 records, " + tokens + " labelled tokens");
    assertThat(result.notes()).hasSizeGreaterThanOrEqualTo(2);
    assertThat(result.notes().get(0)).contains("line 6").contains("no known fields");
    assertThat(result.notes().get(1)).contains("cut to 200 tokens");
    Offset<Double> close = Offset.offset(1e-4);
    Figure loss = result.figures().get(0);
    Figure.Comparison compared = loss.comparison().orElseThrow();
    assertThat(loss.base().value()).isCloseTo(nats[0] / tokens, close);
    assertThat(compared.adapted().value()).isCloseTo(nats[1] / tokens, close);
    assertThat(compared.change().value()).isCloseTo((nats[1] - nats[0]) / tokens, close);
    assertThat(Math.abs(compared.change().value())).as("they differ").isGreaterThan(0.01);
    Figure perplexity = result.figures().get(1);
    assertThat(Math.log(perplexity.base().value())).isCloseTo(nats[0] / tokens, close);
    Perplexity.Score last = (Perplexity.Score) result.records().get(4).get("base");
    Example example = examples.get(examples.size() - 1);
    assertThat(last.nats()).isCloseTo(nats(base, example), close);
    assertThat(last.tokens()).isEqualTo(example.labelled());
    assertThat(result.describe()).contains("By loss per token");
  }

  @Test
  void aSystemPromptStandsBeforeConversations() throws IOException {
    String plain = "{\"instruction\": \"say\", \"output\": \"there it is\"}";
    String with =
        "{\"system\": \"be brief\", \"instruction\": \"say\", \"output\": \"there it is\"}";
    Result expected = run(new Perplexity(data(with), "auto"));
    Result given = run(new Perplexity(data(1024, Optional.of("be brief"), List.of(plain)), "auto"));
    assertThat(given.figures()).isEqualTo(expected.figures());
    assertThat(run(new Perplexity(data(plain), "auto")).figures()).isNotEqualTo(given.figures());
    Result own = run(new Perplexity(data(1024, Optional.of("other"), List.of(with)), "auto"));
    assertThat(own.figures()).as("its own stays").isEqualTo(expected.figures());
    HeldOut text = data(1024, Optional.of("be brief"), List.of("{\"text\": \"one two\"}"));
    assertThatThrownBy(() -> exam(new Perplexity(text, "auto")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--system is for conversations");
  }

  /** Without part of a character at the end, which answers do not show. */
  private static String whole(String answer) {
    return answer.replaceFirst("\uFFFD+$", "");
  }

  /** Whose likeliest answer is the reference is right, whatever the white space. */
  @Test
  void exactMatchComparesLikeliestAnswers() throws IOException {
    List<String> lines = new ArrayList<>();
    List<Boolean> right = new ArrayList<>();
    for (String prompt : List.of("what?", "say it", "one two", "more of")) {
      for (Answers model : List.of(base, both)) {
        String answer =
            whole(
                model
                    .tokenizer()
                    .decode(model.likeliest(model.prompt(Answers.Question.of(prompt)), 6)));
        lines.add(
            json(
                Map.of(
                    "messages",
                    List.of(
                        Map.of("role", "user", "content", prompt),
                        Map.of(
                            "role",
                            "assistant",
                            "content",
                            "\n " + answer.strip().replaceAll("\\s+", " \t ") + " ")))));
        right.add(model == both);
      }
    }
    lines.add("{\"text\": \"no question\"}");
    Result result = run(new ExactMatch(data(1024, Optional.empty(), lines), 6, false));
    for (int i = 0; i < right.size(); i++) {
      Map<String, Object> record = result.records().get(i);
      assertThat(((ExactMatch.Score) record.get("adapter")).right()).isEqualTo(right.get(i));
      assertThat(((ExactMatch.Score) record.get("base")).right()).isEqualTo(!right.get(i));
    }
    Figure figure = result.figures().get(0);
    assertThat(figure.base().value()).isEqualTo(0.5);
    assertThat(figure.comparison().orElseThrow().verdict()).isEqualTo(Verdict.CANNOT_BE_TOLD);
    assertThat(result.describe())
        .contains("Left out: ")
        .contains("text alone has no answer")
        .contains("4 from wrong to right, 4 from right to wrong");
  }

  @Test
  void caseMayBeIgnored() throws IOException {
    String prompt = "what?";
    String answer =
        whole(
            base.tokenizer()
                .decode(base.likeliest(base.tokenizer().encode(prompt, true).ids(), 6)));
    StringBuilder other = new StringBuilder();
    answer
        .codePoints()
        .map(c -> Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c))
        .forEach(other::appendCodePoint);
    assertThat(other.toString()).as("has letters").isNotEqualTo(answer);
    HeldOut data = data(json(Map.of("prompt", prompt, "completion", other.toString())));
    assertThat(run(new ExactMatch(data, 6, false)).figures().get(0).base().value()).isZero();
    assertThat(run(new ExactMatch(data, 6, true)).figures().get(0).base().value()).isEqualTo(1);
  }

  /** The sums are those of the logits, the choice is theirs, and answers are read in all forms. */
  @Test
  void choiceIsTheLikeliest() throws IOException {
    List<String> choices = List.of("this", "that and this other one", "no", "Hello there");
    List<String> lines = new ArrayList<>();
    for (String question : List.of("what?", "say it", "one two")) {
      for (Object answer : List.of(0, "B", "no", "d")) {
        lines.add(json(Map.of("question", question, "choices", choices, "answer", answer)));
      }
    }
    Result result = run(new Choice(data(1024, Optional.empty(), lines), false));
    int[] rights = new int[2];
    for (int i = 0; i < lines.size(); i++) {
      Map<String, Object> record = result.records().get(i);
      assertThat(record.get("answer")).isEqualTo(i % 4);
      Choice.Score score = (Choice.Score) record.get("adapter");
      String question = (String) record.get("question");
      int[] prompt = both.prompt(Answers.Question.of(question));
      int best = 0;
      int bestNorm = 0;
      double[] sums = new double[4];
      double[] norm = new double[4];
      for (int c = 0; c < 4; c++) {
        int[] ids =
            both.tokenizer()
                .encode(
                    both.tokenizer()
                            .chatTemplate()
                            .orElseThrow()
                            .render(
                                List.of(
                                    new org.loranative.text.ChatTemplate.Message("user", question)),
                                true)
                        + choices.get(c),
                    false)
                .ids();
        int[] labels = new int[ids.length];
        for (int t = 0; t < ids.length; t++) {
          labels[t] = t + 1 >= prompt.length && t + 1 < ids.length ? ids[t + 1] : -1;
        }
        sums[c] = -nats(both, new Example(ids, labels, null));
        norm[c] = sums[c] / choices.get(c).length();
        best = sums[c] > sums[best] ? c : best;
        bestNorm = norm[c] > norm[bestNorm] ? c : bestNorm;
      }
      assertThat(score.logLikelihoods()).containsExactly(sums, Offset.offset(1e-3));
      assertThat(score.chosen()).isEqualTo(best);
      assertThat(score.chosenNorm()).isEqualTo(bestNorm);
      assertThat(score.right()).isEqualTo(best == i % 4);
      rights[0] += best == i % 4 ? 1 : 0;
      rights[1] += bestNorm == i % 4 ? 1 : 0;
    }
    for (int f = 0; f < 2; f++) {
      assertThat(result.figures().get(f).comparison().orElseThrow().adapted().value())
          .isEqualTo(rights[f] / 12.0);
    }
  }

  /** Without the template a space parts question and choice, as one would write it. */
  @Test
  void rawChoicesContinueTheQuestion() throws IOException {
    HeldOut data =
        data("{\"question\": \"It is\", \"choices\": [\"that\", \"this one\"], \"answer\": 0}");
    Choice.Score score = (Choice.Score) run(new Choice(data, true)).records().get(0).get("base");
    int prompt = base.tokenizer().encode("It is", true).ids().length;
    int[] ids = base.tokenizer().encode("It is that", true).ids();
    int[] labels = new int[ids.length];
    for (int t = 0; t < ids.length; t++) {
      labels[t] = t + 1 >= prompt && t + 1 < ids.length ? ids[t + 1] : -1;
    }
    assertThat(score.logLikelihoods()[0])
        .isCloseTo(-nats(base, new Example(ids, labels, null)), Offset.offset(1e-3));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'choices': ['a','b'], 'answer': 0}|\"question\" (or \"prompt\") is missing",
        "{'question': 'q', 'prompt': 'p', 'choices': ['a','b'], 'answer': 0}|a question and a"
            + " prompt",
        "{'question': 'q', 'answer': 0}|\"choices\" must be a list",
        "{'question': 'q', 'choices': ['a'], 'answer': 0}|\"choices\" must be a list",
        "{'question': 'q', 'choices': ['a', 3], 'answer': 0}|choice 1 is 3, but must be a text",
        "{'question': 'q', 'choices': ['a', 'a'], 'answer': 0}|\"a\" is among the choices twice",
        "{'question': 'q', 'choices': ['a', 'b'], 'answer': 2}|\"answer\" is 2, but the choices"
            + " count from 0 to 1",
        "{'question': 'q', 'choices': ['a', 'b'], 'answer': -1}|\"answer\" is -1",
        "{'question': 'q', 'choices': ['a', 'b'], 'answer': 'C'}|\"answer\" is \"C\", which is none"
            + " of the choices, and no letter from A to B",
        "{'question': 'q', 'choices': ['a', 'b']}|\"answer\" is missing",
        "{'question': 'q', 'choices': ['a', 'b'], 'answer': 0.5}|\"answer\" is missing or neither",
        "{'question': 'q', 'choices': ['a', 'b'], 'answer': 0|not valid JSON"
      },
      quoteCharacter = '~')
  void faultsAreNamedWithTheirLine(String line, String message) {
    String good = "{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"answer\": 1}";
    assertThatThrownBy(() -> new Choice(data(good, line.replace('\'', '"')), false))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("jsonl line 2: ")
        .hasMessageContaining(message);
  }

  @Test
  void whatIsTooLongIsLeftOut() throws IOException {
    String question = "{\"question\": \"%s\", \"choices\": [\"a\", \"b\"], \"answer\": 1}";
    String shorter = String.format(question, "q");
    String longer = String.format(question, "one two three ".repeat(30));
    HeldOut data = data(100, Optional.empty(), List.of(shorter, longer));
    Exam<?> exam = exam(new Choice(data, false));
    assertThat(exam.size()).isEqualTo("1 question");
    assertThat(exam.notes()).hasSize(1);
    assertThat(exam.notes().get(0)).contains("line 2").contains("allow 100");
    HeldOut few = data(1024, Optional.empty(), List.of(shorter, longer));
    assertThat(new Choice(few, false).exam(both.tokenizer(), OptionalInt.of(100)).size())
        .as("the model's own limit")
        .isEqualTo("1 question");
    assertThatThrownBy(
            () -> exam(new ExactMatch(data(20, Optional.empty(), List.of(RECORDS)), 30, false)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("its prompt with --max-tokens takes");
    assertThatThrownBy(() -> exam(new Perplexity(data(shorter), "auto")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--measure choice");
    assertThatThrownBy(() -> data("", " "))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("holds no record");
  }
}
