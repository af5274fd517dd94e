package org.loranative.model.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

@ExtendWith(Seeded.class)
class PlainLoaderTest {
  /** A tensor of more than a piece is converted whole, also where a block's bytes are odd. */
  @Test
  void longTensorsAreConvertedInPieces(Random random) {
    long elements = PlainLoader.PIECE + 32 * (1 + random.nextInt(50));
    long first = DType.Q8_0.bytes(PlainLoader.PIECE - 32);
    try (Device device = TestDevices.open("cpu");
        HostBuffer blocks = new HostBuffer(DType.Q8_0.bytes(elements));
        HostBuffer pieces = new HostBuffer(elements * 4);
        HostBuffer whole = new HostBuffer(elements * 4)) {
      for (long at = first; at < DType.Q8_0.bytes(elements); at += 34) {
        blocks.view().putShort((int) at, (short) (0x3c00 + random.nextInt(256))); // f16 scales
        for (int i = 2; i < 34; i++) {
          blocks.view().put((int) at + i, (byte) random.nextInt(256));
        }
      }
      long from = blocks.address();
      new PlainLoader(device).dequantize(from, DType.Q8_0, pieces.address(), DType.F32, elements);
      long tail = PlainLoader.PIECE - 32;
      new PlainLoader(device)
          .dequantize(from + first, DType.Q8_0, whole.address(), DType.F32, elements - tail);
      boolean hasNumbers = false; // a single one may be 0
      for (int i = 0; i < elements - tail; i++) {
        hasNumbers |= whole.view().getFloat(i * 4) != 0;
        assertThat(pieces.view().getFloat((int) (tail + i) * 4))
            .isEqualTo(whole.view().getFloat(i * 4));
      }
      assertThat(hasNumbers).isTrue();
    }
  }
}
