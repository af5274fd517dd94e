package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The emulator's own tests: planted faults are caught by name, sound twins pass in silence. */
class EmulatorTest {
  @Test
  void plantedFaultsAreCaught() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("target/native/planted_test").redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).contains("110 passed, 0 failed");
  }
}
