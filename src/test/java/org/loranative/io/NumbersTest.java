package org.loranative.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;

/** Numbers in pieces; with the short pieces that tests have there are several, the last ragged. */
class NumbersTest {
  private static final int COUNT = 2 * Numbers.PIECE + 17;

  @TempDir private Path folder;

  private static float[] some(int count) {
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = Float.intBitsToFloat(i * 0x9e3779b9 & 0xbfffffff); // finite, signed zeros among them
    }
    return x;
  }

  private static byte[] bytes(float[] x) {
    ByteBuffer bytes = ByteBuffer.allocate(x.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(x);
    return bytes.array();
  }

  @Test
  void piecesAreAllOfThemInOrder() throws IOException {
    float[] x = some(COUNT);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Numbers.of(x).writeTo(out);
    assertThat(out.toByteArray()).isEqualTo(bytes(x));
    List<Long> starts = new ArrayList<>();
    Numbers.of(x).inPieces((from, piece, count) -> starts.add(from + count));
    assertThat(starts)
        .containsExactly((long) Numbers.PIECE, 2L * Numbers.PIECE, 2L * Numbers.PIECE + 17);
    Numbers slice = Numbers.of(x).slice(5, COUNT - 9);
    assertThat(slice.all()).isEqualTo(Arrays.copyOfRange(x, 5, COUNT - 4));
    assertThat(slice.slice(3, 4).all()).isEqualTo(Arrays.copyOfRange(x, 8, 12));
    assertThatThrownBy(() -> slice.read(COUNT - 10, new float[2], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(Numbers.of(new float[0]).slice(0, 0).all()).isEmpty();
  }

  @Test
  void likenessLooksAtEach() {
    float[] x = some(COUNT);
    float[] y = x.clone();
    assertThat(Numbers.of(x).areLike(Numbers.of(y), (a, b) -> a == b)).isTrue();
    y[COUNT - 1] += 1;
    assertThat(Numbers.of(x).areLike(Numbers.of(y), (a, b) -> a == b)).isFalse();
    assertThat(Numbers.of(x).slice(1, 2).areLike(Numbers.of(y), (a, b) -> true)).isFalse();
  }

  @Test
  void filesAreReadWhereTheyLie() throws IOException {
    float[] x = some(COUNT);
    ByteBuffer halves = ByteBuffer.allocate(COUNT * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (float v : x) {
      halves.putShort((short) (Float.floatToRawIntBits(v) >>> 16));
    }
    Path file = folder.resolve("x.safetensors");
    List<Long> shape = List.of((long) COUNT);
    Safetensors.stream(
        file,
        List.of(
            TensorStream.f32("wide", shape, x),
            new TensorStream("half", "BF16", shape, 2L * COUNT, out -> out.write(halves.array())),
            new TensorStream(
                "whole", "I32", shape, 4L * COUNT, out -> out.write(new byte[4 * COUNT]))),
        Map.of());
    Map<String, TensorEntry> read = Safetensors.read(file).tensors();
    assertThat(Safetensors.floats(read.get("wide"))).isEqualTo(x);
    float[] two = new float[4];
    Safetensors.numbers(read.get("half")).read(Numbers.PIECE - 1, two, 1, 2);
    for (int i = 0; i < 2; i++) {
      assertThat(two[1 + i]).isEqualTo(Half.ofBrain(halves.getShort(2 * (Numbers.PIECE - 1 + i))));
    }
    assertThatThrownBy(() -> Safetensors.floats(read.get("whole")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("whole is I32; F32, F16 or BF16 expected");
  }
}
