package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.loranative.StoppedException;
import org.loranative.UserException;

class AdapterOutputTest {
  /** These commands have no --resume, which phases name. */
  @Test
  void aStopLeavesNothing() {
    assertThat(AdapterOutput.<String>before(() -> "done")).isEqualTo("done");
    assertThatThrownBy(
            () ->
                AdapterOutput.before(
                    () -> {
                      throw new StoppedException("Stopped at 3 of 70; --resume goes on.");
                    }))
        .isInstanceOf(StoppedException.class)
        .hasMessage("Stopped; nothing was written.");
    assertThatThrownBy(
            () ->
                AdapterOutput.before(
                    () -> {
                      throw new UserException("wrong");
                    }))
        .isInstanceOf(UserException.class)
        .hasMessage("wrong");
  }
}
