package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.text.ChatTemplate;
import org.loranative.text.ChatTemplate.Message;

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
}
