package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.TinyAdapter;
import org.loranative.testing.TinyModel;

/** {@code generate}, as it is typed. */
class GenerateCommandTest {
  @TempDir private static Path folder;
  private static Path base;
  private static Path adapter;

  @BeforeAll
  static void train() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    adapter = TinyAdapter.train(base, folder.resolve("a"));
  }

  private static Typed run(String input, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "generate",
                "--base",
                base.toString(),
                "--max-tokens",
                "6",
                "--device",
                "cpu",
                "--compute-dtype",
                "f32"));
    all.addAll(List.of(more));
    return Typed.withInput(input, all.toArray(String[]::new));
  }

  private static String answer(String prompt, String... more) {
    List<String> all = new ArrayList<>(List.of("--prompt", prompt));
    all.addAll(List.of(more));
    Typed outcome = run("", all.toArray(String[]::new));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    return outcome.output().substring(0, outcome.output().length() - 1);
  }

  @Test
  void conversesAndCompares() {
    String own = answer("what?", "--adapter", adapter.toString());
    String plain = answer("what?");
    assertThat(own).isNotEqualTo(plain);
    assertThat(answer("what?", "--adapter", adapter.toString(), "--compare"))
        .isEqualTo("[base] " + plain + "\n[adapter] " + own);

    String cut = "(Cut off after 6 tokens; --max-tokens allows more.)\n";
    Typed chat =
        run(
            "what?\n"
                + "/adapter off\n"
                + "/retry\n"
                + "/nothing\n"
                + "/reset\n"
                + "/adapter on\n"
                + "what?\n"
                + "/adapter\n"
                + "/exit\n"
                + "no\n",
            "--adapter",
            adapter.toString());
    assertThat(chat.code()).isZero();
    assertThat(chat.output())
        .isEqualTo(
            own
                + "\n"
                + cut
                + "(The base answers alone.)\n"
                + plain
                + "\n"
                + cut
                + "(/nothing is no command; /help lists them.)\n"
                + "(The conversation is forgotten.)\n"
                + "(Answers with the adapters.)\n"
                + own
                + "\n"
                + cut
                + "(/adapter on, /adapter off or /adapter both.)\n");
    assertThat(run("/adapter off\n/retry\n").output())
        .isEqualTo(
            "(No --adapter was given, so the base answers.)\n(Nothing has been asked yet.)\n");
  }

  /** The second answer depends on the first question; the oldest turns go where they do not fit. */
  @Test
  void remembersAsFarAsTheContextGoes() {
    Typed two = run("what?\nwhat?\n", "--context", "400");
    String[] lines = two.output().split("\n\\(Cut off[^\n]*\n");
    assertThat(lines).hasSize(2);
    assertThat(lines[0]).isNotEqualTo(lines[1]);
    Typed short_ = run("what?\nwhat?\n", "--context", "100");
    assertThat(short_.output())
        .contains("no longer fits the context of 100 tokens; its first 1 questions are forgotten")
        .endsWith(lines[0] + "\n(Cut off after 6 tokens; --max-tokens allows more.)\n");
  }

  @Test
  void answersAFileOfPrompts() throws IOException {
    Path prompts = folder.resolve("p.jsonl");
    Files.writeString(
        prompts,
        """
        {"prompt": "what?"}
        {"messages": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "x"}]}
        {"system": "Be brief.", "prompt": "who?"}
        """);
    Path out = folder.resolve("answers.jsonl");
    Typed outcome =
        run(
            "",
            "--adapter",
            adapter.toString(),
            "--compare",
            "--prompts",
            prompts.toString(),
            "--out",
            out.toString());
    assertThat(outcome.code()).as(outcome.output()).isZero();
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(out)) {
      lines.add(new ObjectMapper().readTree(line));
    }
    String own = adapter.toString();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0).path("answer").asText()).isEqualTo(answer("what?", "--adapter", own));
    assertThat(lines.get(0).path("base_answer").asText()).isEqualTo(answer("what?"));
    assertThat(lines.get(1).path("prompt").asText()).isEqualTo("why?");
    assertThat(lines.get(1).path("answer").asText()).isEqualTo(answer("why?", "--adapter", own));
    assertThat(lines.get(2).path("answer").asText())
        .isEqualTo(answer("who?", "--adapter", own, "--system", "Be brief."));

    Path text = folder.resolve("p.txt");
    Files.writeString(text, "why?\n\nwhat?\n");
    Path other = folder.resolve("other.jsonl");
    assertThat(run("", "--prompts", text.toString(), "--out", other.toString()).code()).isZero();
    assertThat(Files.readAllLines(other)).hasSize(2);
  }

  @Test
  void refuses() throws IOException {
    Path bad = folder.resolve("bad.jsonl");
    Files.writeString(bad, "{\"prompt\": \"a\"}\n{\"question\": \"b\"}\n");
    Path empty = Files.writeString(folder.resolve("empty.txt"), "\n");
    String out = folder.resolve("none.jsonl").toString();
    String own = adapter.toString();
    refused("--prompts and --out go together", "--prompts", bad.toString());
    refused("bad.jsonl line 2: no prompt", "--prompts", bad.toString(), "--out", out);
    refused("empty.txt holds no prompt", "--prompts", empty.toString(), "--out", out);
    refused("exists", "--prompts", bad.toString(), "--out", base.resolve("config.json").toString());
    refused("not both", "--prompt", "a", "--prompts", bad.toString(), "--out", out);
    refused("--compare needs", "--compare");
    refused("--raw continues a text", "--raw");
    refused("--system needs", "--raw", "--system", "x", "--prompt", "a");
    refused("min_p is 2,", "--min-p", "2", "--temperature", "1", "--adapter", own);
    refused("give a --temperature above 0", "--top-k", "3", "--prompt", "a");
    refused("A stop string is empty", "--stop", "", "--prompt", "a");
    refused("--context is 1", "--context", "1");
    assertThat(Files.exists(Path.of(out))).isFalse();
  }

  private static void refused(String message, String... arguments) {
    Typed outcome = run("", arguments);
    assertThat(outcome.output()).contains(message);
    assertThat(outcome.code()).isEqualTo(2);
  }
}
