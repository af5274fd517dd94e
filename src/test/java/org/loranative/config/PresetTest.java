package org.loranative.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.config.Preset.Choice;

/** What {@code init} starts from. */
class PresetTest {
  private static Object value(Subject subject, int count, String key, Preset... presets) {
    Map<String, Choice> settings = Preset.settings(subject, count, List.of(presets));
    return settings.get(key).value();
  }

  /** As kohya's scripts adapt them by default, and as they advise for XL. */
  @Test
  void textEncodersLearnMoreSlowlyOrNotAtAll() {
    assertThat(value(Subject.SD, 30, "learning_rate")).isEqualTo(2e-4);
    assertThat(value(Subject.SD, 30, "lora_targets"))
        .isEqualTo(List.of("kohya", Map.of("target", "text-encoder", "learning_rate", 5e-5)));
    assertThat(value(Subject.SDXL, 30, "learning_rate")).isEqualTo(1e-4);
    assertThat(value(Subject.SDXL, 30, "lora_targets")).isEqualTo(List.of("all-linear"));
  }

  @ParameterizedTest
  @CsvSource({"5, 100", "30, 100", "60, 50", "120, 25", "299, 11", "5000, 10"})
  void imagesAreShownSomeThreeThousandTimes(int images, int epochs) {
    assertThat(value(Subject.SD, images, "epochs", Preset.SMALL_DATA)).isEqualTo(epochs);
  }

  @Test
  void alphaIsTheRankForImages() {
    for (Preset preset : Preset.values()) {
      assertThat(value(Subject.SDXL, 30, "lora_alpha", preset))
          .isEqualTo(value(Subject.SDXL, 30, "lora_rank", preset));
    }
  }
}
