package org.loranative;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DecimalsTest {
  @Test
  void writesNumbersAsPeopleDo() {
    assertThat(Decimals.plain(16)).isEqualTo("16");
    assertThat(Decimals.plain(-1)).isEqualTo("-1");
    assertThat(Decimals.plain(0.5)).isEqualTo("0.5");
    assertThat(Decimals.brief(2e-4)).isEqualTo("2e-4");
    assertThat(Decimals.brief(1.25e-6)).isEqualTo("1.25e-6");
    assertThat(Decimals.brief(0.002)).isEqualTo("0.002");
    assertThat(Decimals.brief(0)).isEqualTo("0");
  }
}
