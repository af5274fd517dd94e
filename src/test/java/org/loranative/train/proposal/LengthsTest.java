package org.loranative.train.proposal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code max_length} of the lengths of examples. */
class LengthsTest {
  @Test
  void cutsNothingOfShortExamples() {
    assertThat(Lengths.fitting(List.of(3, 53, 17))).isEqualTo(64);
    assertThat(Lengths.fitting(List.of(64))).isEqualTo(64);
    assertThat(Lengths.fitting(List.of(65))).isEqualTo(128);
    assertThat(Lengths.lost(List.of(3, 53), 64)).contains("no tokens lost", "53");
  }

  /** By hand. */
  @Test
  void growsUntilHardlyAnythingIsLost() {
    List<Integer> many = new ArrayList<>(Collections.nCopies(1000, 1000));
    many.add(10_000); // 1 010 000 in all: 1 % is 10 100, more than this can lose
    assertThat(Lengths.fitting(many)).isEqualTo(2048);
    many.add(6000); // 1 016 000: (10000 − n) + (6000 − n) ≤ 10160 from n = 2920 on
    assertThat(Lengths.fitting(many)).isEqualTo(2944);
    assertThat(Lengths.tokens(many, 2944)).isEqualTo(10_112);
    assertThat(Lengths.lost(many, 2944))
        .isEqualTo("10112 tokens lost (1.0 %): 2 of 1002 examples cut, the longest has 10000");
    assertThat(Lengths.fitting(List.of(100_000))).isEqualTo(8192); // not without end
  }
}
