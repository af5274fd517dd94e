package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.export.AdapterSource;
import org.loranative.model.llm.Sampling;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TinyModel;
import org.loranative.text.ChatTemplate;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.track.Console;
import org.loranative.train.StopSignal;
import org.loranative.train.machine.Machine;
import org.loranative.train.runs.TrainRun;

/** The day that a template prints stays that of the run. */
class TemplateDateTest {
  @TempDir Path run;

  private TrainConfig config(String... more) {
    List<String> all = new java.util.ArrayList<>(List.of("output_dir=" + run));
    all.addAll(List.of(more));
    return ConfigReader.read(Optional.empty(), all);
  }

  @Test
  void resumesWithTheDateOfTheRun() throws Exception {
    assertThat(TemplateDate.of(config(), true)).as("no checkpoint yet").startsWith("20");
    for (int step : new int[] {2, 10}) {
      Path checkpoint = Files.createDirectories(run.resolve("checkpoint-" + step));
      Files.writeString(
          checkpoint.resolve("config.yaml"), "template_date: 2024-07-" + (step + 10) + "\n");
    }
    assertThat(TemplateDate.of(config(), true)).isEqualTo("2024-07-20");
    assertThat(TemplateDate.of(config(), false)).isNotEqualTo("2024-07-20");
    assertThat(TemplateDate.of(config("template_date=2023-01-02"), true)).isEqualTo("2023-01-02");
  }

  @Test
  void isWhatTheTemplatePrints() {
    ChatTemplate template =
        new ChatTemplate(
            "test",
            "{{ strftime_now('%d %b %Y %H:%M') }}|{{ messages[0].content }}",
            Optional.empty(),
            Optional.empty());
    List<Message> hi = List.of(new Message("user", "hi"));
    TrainConfig day = config("template_date=2024-07-26");
    TrainConfig time = config("template_date=2024-07-26T14:05:09");
    assertThat(template.at(day.templateDateTime().orElseThrow()).render(hi, false))
        .isEqualTo("26 Jul 2024 00:00|hi");
    assertThat(template.at(time.templateDateTime().orElseThrow()).render(hi, false))
        .isEqualTo("26 Jul 2024 14:05|hi");
    assertThatThrownBy(() -> config("template_date=26 Jul"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("template_date is 26 Jul, but must be a date such as 2026-03-31");
  }

  /** Of a template that prints the date, an adapter is asked with the date that it learnt. */
  @Test
  void generateUsesTheRunsDate(@TempDir Path folder) throws IOException {
    Path base = TinyModel.write(folder.resolve("base"));
    Files.writeString(
        base.resolve("chat_template.jinja"),
        "{{ strftime_now('%d %b %Y') }}{% for m in messages %}<|im_start|>{{ m.role }}\n"
            + "{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n");
    Files.writeString(
        folder.resolve("a.jsonl"), "{\"prompt\": \"what? \", \"completion\": \"that\"}\n");
    Path run = folder.resolve("run");
    try (TrainRun trained =
        new TrainRun(
            ConfigReader.read(
                Optional.empty(),
                List.of(
                    "base_model=" + base,
                    "metadata_path=" + folder.resolve("a.jsonl"),
                    "output_dir=" + run,
                    "template_date=2021-02-03",
                    "max_steps=1",
                    "device=cpu",
                    "threads=1")))) {
      Console quiet = new Console(new PrintStream(OutputStream.nullOutputStream()), false);
      trained.train(false, quiet, new StopSignal());
    }
    String first = answer(base, run.resolve("adapter"));
    assertThat(answer(base, run.resolve("checkpoint-1"))).isEqualTo(first);
    assertThat(answer(base, TensorFiles.copy(run.resolve("adapter"), folder.resolve("moved/a"))))
        .as("today's date")
        .isNotEqualTo(first);
    Path config = run.resolve("config.yaml");
    Files.writeString(config, Files.readString(config).replace("2021-02-03", "1999-12-31"));
    assertThat(answer(base, run.resolve("adapter"))).as("another date").isNotEqualTo(first);
    Files.writeString(config, "model: {another: tool}\n");
    assertThat(RunTokenizer.configOf(run.resolve("adapter"))).isEmpty();
  }

  private static String answer(Path base, Path adapter) {
    try (Answers answers =
        new Answers(base, List.of(new AdapterSource(adapter, 1)), Machine.of("cpu", "f32"))) {
      return answers.answer(Answers.Question.of("who?"), 12, Sampling.greedy(), text -> {});
    }
  }
}
