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

/** {@code evaluate}, as it is typed. */
class EvaluateCommandTest {
  @TempDir private static Path folder;
  private static Path base;
  private static Path adapter;
  private static Path data;

  @BeforeAll
  static void train() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    adapter = TinyAdapter.train(base, folder.resolve("a"), "max_steps=60");
    data = folder.resolve("held.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      lines.add("{\"prompt\": \"what" + i + "? \", \"completion\": \"that and this\"}");
    }
    Files.write(data, lines);
  }

  private static Typed run(String... more) {
    List<String> all =
        new ArrayList<>(List.of("evaluate", "--base", base.toString(), "--device", "cpu"));
    all.addAll(List.of(more));
    return Typed.run(all.toArray(String[]::new));
  }

  @Test
  void tellsWhatTheAdapterLearnt() throws IOException {
    Path report = folder.resolve("report.json");
    Typed outcome =
        run(
            "--adapter=" + adapter,
            "--data=" + data,
            "--measure=perplexity,exact_match",
            "--max-tokens=8",
            "--report=" + report);
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .contains("perplexity: 8 records")
        .contains("By loss per token the adapter is better than its base: -")
        .contains("exact_match: 8 records")
        .contains("By exact match the adapter is better than its base: +")
        .containsPattern("[678] from wrong to right, 0 from right to wrong");
    JsonNode json = new ObjectMapper().readTree(report.toFile());
    assertThat(json.path("adapters").path(0).path("path").asText()).contains("adapter");
    JsonNode loss = json.path("measures").path(0).path("figures").path("loss_per_token");
    assertThat(loss.path("verdict").asText()).isEqualTo("better");
    assertThat(loss.path("difference").path("high").asDouble()).isNegative();
    JsonNode record = json.path("measures").path(1).path("records").path(7);
    assertThat(record.path("reference").asText()).isEqualTo("that and this");
    assertThat(record.path("record").asText()).endsWith("held.jsonl line 8");
    assertThat(record.path("adapter").path("answer").isTextual()).isTrue();
    assertThat(record.path("base").path("right").asBoolean(true)).isFalse();

    Typed again = run("--data=" + data, "--report=" + report);
    assertThat(again.code()).isEqualTo(2);
    assertThat(again.output()).contains("exists already");
  }

  @Test
  void measuresTheBaseAlone() {
    Typed outcome = run("--data=" + data, "--limit=3");
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output())
        .contains("perplexity: 3 records")
        .contains("base")
        .doesNotContain("adapter")
        .doesNotContain("difference");
  }

  @Test
  void refusesInOneSentence() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.jsonl"), "\n");
    Path choices =
        Files.writeString(
            folder.resolve("choices.jsonl"),
            "{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"answer\": 5}\n");
    String held = "--data=" + data;
    refused("holds no record", "--data=" + empty);
    refused("does not exist", "--data=" + folder.resolve("none.jsonl"));
    refused("choices.jsonl line 1: \"answer\" is 5", "--data=" + choices, "--measure=choice");
    Files.writeString(
        choices, "{\"question\": \"q\", \"choices\": [\"B\", \"A\"], \"answer\": \"A\"}\n");
    refused(
        "which is the text of choice 1 and the letter of choice 0",
        "--data=" + choices,
        "--measure=choice");
    refused("--measure choice", "--data=" + choices);
    refused("held.jsonl line 1: \"choices\" must be", held, "--measure=choice");
    refused("must be perplexity, exact_match or choice", held, "--measure=bleu");
    refused("--ignore-case is for --measure exact_match", held, "--ignore-case");
    refused("--raw is for --measure choice", held, "--raw");
    refused("--format is for --measure", "--data=" + choices, "--measure=choice", "--format=text");
    refused("--train-on is some", held, "--train-on=some");
    refused("--format is csv", held, "--format=csv");
    refused("--limit", held, "--limit=0");
    refused("--system is for conversations", held, "--system=be brief");
    refused("more --scale than --adapter", held, "--scale=1");
  }

  private static void refused(String message, String... options) {
    Typed outcome = run(options);
    assertThat(outcome.output()).startsWith("evaluate: ").contains(message).hasLineCount(1);
    assertThat(outcome.code()).isEqualTo(2);
  }
}
