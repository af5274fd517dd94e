package org.loranative.optim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LossScaleTest {
  @Test
  void halvesOnOverflowAndDoublesAfterManyGoodSteps() {
    LossScale scale = LossScale.dynamic(LossScale.State.START);
    assertThat(scale.factor()).isEqualTo(65536);
    scale.update(false);
    assertThat(scale.state()).isEqualTo(new LossScale.State(32768, 0));
    for (int i = 0; i < 1999; i++) {
      scale.update(true);
    }
    assertThat(scale.state()).isEqualTo(new LossScale.State(32768, 1999));
    LossScale resumed = LossScale.dynamic(scale.state());
    resumed.update(true);
    assertThat(resumed.state()).isEqualTo(new LossScale.State(65536, 0));
  }

  @Test
  void stopsAtOneAndNeverMovesOutsideF16() {
    LossScale scale = LossScale.dynamic(new LossScale.State(2, 5));
    assertThat(scale.canShrink()).isTrue();
    scale.update(false);
    assertThat(scale.factor()).isEqualTo(1);
    assertThat(scale.canShrink()).isFalse();
    LossScale none = LossScale.none();
    none.update(false);
    assertThat(none.factor()).isEqualTo(1);
    assertThat(none.canShrink()).isFalse();
  }
}
