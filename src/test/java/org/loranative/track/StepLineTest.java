package org.loranative.track;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StepLineTest {
  private static final StepLine LINE =
      new StepLine(
          37, 1200, 2.34567, 1e-4, 12345.6, "tokens", "61 °C 402 W", Duration.ofSeconds(3725));

  /** Loss, rate, unit and speed are there at every width that people have. */
  @ParameterizedTest
  @ValueSource(ints = {60, 72, 80, 100, 120, 200})
  void keepsTheFigures(int width) {
    String line = LINE.within(width);
    assertThat(line.length()).isLessThanOrEqualTo(width);
    assertThat(line).contains("37/1200", "loss 2.3457", "lr 1.00e-04", "12346 tokens/s");
  }

  @ParameterizedTest
  @CsvSource({"80,[>", "120,61 °C 402 W", "80,1:02:05 left"})
  void givesTheRoomToWhatThereIsRoomFor(int width, String part) {
    assertThat(LINE.within(width)).contains(part);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 20, 40})
  void isNeverWiderThanTheTerminal(int width) {
    assertThat(LINE.within(width).length()).isLessThanOrEqualTo(width);
  }

  @Test
  void warnsInColourWhereTheTerminalHasIt() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    new Console(out, false, true).warning("x");
    new Console(out, false, false).warning("y");
    assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
        .containsExactly("\u001b[33mWarning:\u001b[0m x", "Warning: y");
  }
}
