package org.loranative.optim;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every schedule against get_scheduler (schedules.json, made by make_text_golden.py). */
class ScheduleTest {
  @TestFactory
  Stream<DynamicTest> equalsHuggingFace() throws IOException {
    JsonNode all =
        new ObjectMapper().readTree(Path.of("src/test/resources/golden/schedules.json").toFile());
    return StreamSupport.stream(all.spliterator(), false)
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.path("name").asText() + " warmup " + c.path("warmup").asInt(),
                    () -> check(c)));
  }

  private static void check(JsonNode c) {
    Schedule.Curve setting =
        new Schedule.Curve(
            Schedule.named(c.path("name").asText()).orElseThrow(),
            1e-3,
            c.path("warmup").asInt(),
            c.path("total").asInt(),
            c.path("cycles").asInt(),
            c.path("power").asDouble());
    for (int step = 1; step <= c.path("rates").size(); step++) {
      assertThat(setting.at(step))
          .as("step " + step)
          .isCloseTo(c.path("rates").get(step - 1).asDouble(), Offset.offset(1e-12));
    }
  }
}
