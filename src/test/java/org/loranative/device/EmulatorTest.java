package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The emulator's own tests: planted faults are caught by name, sound twins pass in silence. */
class EmulatorTest {
  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void plantedFaultsAreCaught() throws IOException, InterruptedException {
    assertThat(run("target/native/planted_test")).contains("130 passed, 0 failed");
  }

  @Test
  void wrappersGiveWhatThePtxManualSays() throws IOException, InterruptedException {
    String table = "src/test/native/emulator/conformance.txt";
    assertThat(run("target/native/conformance_test", table)).contains("62828 passed, 0 failed");
  }
}
