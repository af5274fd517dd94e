package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.loranative.export.blocks.Encoders;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.Half;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Blocks are as near to the numbers as those that ggml makes of them (make_ggml_golden.py). */
@ExtendWith(Seeded.class)
class BlocksTest {
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("ggml_blocks.safetensors"));
  private static final int ROWS = 6;
  private static final int COLUMNS = 512;

  /** Of ggml's error; it weighs large numbers more, so it may be better by chance in a row. */
  private static final double BOUND = 1.02;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void isAsNearAsGgml(DType type) throws Exception {
    float[] x = GOLDEN.floats("x");
    ByteBuffer ours =
        ByteBuffer.allocate((int) type.bytes(x.length)).order(ByteOrder.LITTLE_ENDIAN);
    Encoders.of(type).orElseThrow().encode(x, 0, x.length, ours);
    assertThat(ours.hasRemaining()).isFalse();
    byte[] ggml = new byte[ours.capacity()];
    GOLDEN.bytes(type.name()).get(ggml);
    for (int row = 0; row < ROWS; row++) {
      double error = error(x, decoded(type, ours.array()), row);
      double theirs = error(x, decoded(type, ggml), row);
      assertThat(error).as("%s, row %d", type, row).isLessThanOrEqualTo(BOUND * theirs + 1e-9);
    }
  }

  private static double error(float[] x, float[] y, int row) {
    double sum = 0;
    for (int i = row * COLUMNS; i < (row + 1) * COLUMNS; i++) {
      sum += Math.pow((double) x[i] - y[i], 2);
    }
    return Math.sqrt(sum / COLUMNS);
  }

  private float[] decoded(DType type, byte[] blocks) throws Exception {
    Path file = folder.resolve("x.gguf");
    GgufWriter.write(
        file,
        new GgufMetadata().string("general.architecture", "test"),
        List.of(
            new TensorStream(
                "x",
                type.name(),
                List.of((long) ROWS, (long) COLUMNS),
                blocks.length,
                out -> out.write(blocks))));
    TensorEntry entry = Gguf.read(file).tensors().get("x");
    float[] y = new float[ROWS * COLUMNS];
    try (StoredRows rows = new Weights("x", Gguf.read(file).tensors(), name -> name).rows()) {
      rows.read(entry, 0, ROWS, y);
    }
    return y;
  }

  @Test
  void halvesRoundToTheNearest(Random random) {
    for (int bits = 0; bits <= 0xffff; bits++) {
      short half = (short) bits;
      float x = Half.toFloat(half);
      if (!Float.isNaN(x)) {
        assertThat(Half.of(x)).isEqualTo(half);
      }
    }
    for (int i = 0; i < 10_000; i++) {
      float x = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(40) - 26));
      float y = Half.toFloat(Half.of(x));
      float below = Half.toFloat((short) (Half.of(x) - 1));
      float above = Half.toFloat((short) (Half.of(x) + 1));
      double d = Math.abs((double) x - y);
      boolean another = d > Math.abs((double) x - below) || d > Math.abs((double) x - above);
      assertThat(another).as("%s as %s", x, y).isFalse();
    }
    assertThat(Half.of(65519)).isEqualTo((short) 0x7bff);
    assertThat(Half.of(65520)).isEqualTo((short) 0x7c00);
    assertThat(Half.ofBrain(Half.toBrain(1.00390625f))).isEqualTo(1); // a tie goes to even
  }
}
