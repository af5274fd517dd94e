package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;

class BlockRangesTest {
  /** Five blocks, of which the shorter order lists three. */
  private static final LayerBlocks BLOCKS =
      new LayerBlocks() {
        @Override
        public List<List<String>> orders() {
          return List.of(
              List.of("BASE", "b1", "b3", "b4"), List.of("BASE", "b0", "b1", "b2", "b3", "b4"));
        }

        @Override
        public String block(String path) {
          return path.matches("b\\d\\..*") ? path.substring(0, 2) : "BASE";
        }
      };

  private static final List<Adapters.Target> LAYERS =
      IntStream.range(0, 6)
          .mapToObj(i -> new Adapters.Target(i < 5 ? "b" + i + ".q" : "head", 4, 4))
          .toList();

  private static List<String> among(String text) {
    return new BlockRanges(text).among(LAYERS, BLOCKS).stream().map(Adapters.Target::path).toList();
  }

  @ParameterizedTest
  @CsvSource({"0-4, 01234", "3, 3", "'0,3', 03", "'4 , 0-1,1', 014", "2-2, 2"})
  void numbersAreOfTheLongestOrder(String text, String blocks) {
    assertThat(among(text))
        .containsExactlyElementsOf(blocks.chars().mapToObj(c -> "b" + (char) c + ".q").toList());
  }

  @Test
  void allWhereNothingIsSaid() {
    assertThat(among("")).hasSize(6).contains("head");
  }

  @Test
  void mistakesSayWhatThereIs() {
    assertThatThrownBy(() -> among("3-5"))
        .isInstanceOf(UserException.class)
        .hasMessage("blocks is 3-5, but this base has 5 blocks, 0 (b0) to 4 (b4).");
    assertThatThrownBy(() -> among("0,4-2"))
        .isInstanceOf(UserException.class)
        .hasMessage("blocks is 0,4-2, but 4-2 is empty; write 2-4.");
  }
}
