package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.loranative.testing.TestDevices;

/** A card can be told to go without the kernels that only Hopper has. */
class WarpgroupsTest {
  @Test
  void cardsLeaveThemOnce() {
    boolean hopper = "90".equals(System.getenv("LN_EMU_CAPABILITY"));
    try (CudaDevice card = (CudaDevice) TestDevices.open("cuda-emu")) {
      assertThat(card.leaveWarpgroups()).isEqualTo(hopper);
      assertThat(card.leaveWarpgroups()).isFalse();
    }
  }
}
