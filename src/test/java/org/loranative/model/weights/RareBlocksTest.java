package org.loranative.model.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Against gguf's own dequantization, of random bits: make_rare_golden.py. */
@ExtendWith(Seeded.class)
class RareBlocksTest {
  private static final Golden GOLDEN = new Golden(Golden.FOLDER.resolve("rare_blocks.safetensors"));
  private static final String NAME = "w";
  private static final int ROWS = 12;
  private static final int COLUMNS = 512;

  @TempDir Path folder;

  private Weights weights(RareBlocks type) throws Exception {
    ByteBuffer data = GOLDEN.bytes(type.name());
    byte[] bytes = new byte[data.remaining()];
    data.duplicate().get(bytes);
    Path file = folder.resolve("x.gguf");
    List<Long> shape = List.of((long) ROWS, (long) COLUMNS);
    GgufWriter.write(
        file,
        new GgufMetadata(),
        List.of(new TensorStream(NAME, type.name(), shape, bytes.length, out -> out.write(bytes))));
    return new Weights("x", Gguf.read(file).tensors(), n -> n);
  }

  private static float[] load(Weights weights) {
    Graph g = new Graph();
    Value w = g.named(Kind.WEIGHT, NAME, DType.F32, weights.shape(NAME));
    try (Device device = new CpuDevice(1);
        LoadedWeights loaded = weights.load(g.named(), device);
        HostBuffer host = new HostBuffer(w.bytes())) {
      device.download(host, loaded.address(w), w.bytes());
      float[] actual = new float[ROWS * COLUMNS];
      host.view().asFloatBuffer().get(actual);
      return actual;
    }
  }

  @ParameterizedTest
  @EnumSource
  void numbersAreGgufs(RareBlocks type) throws Exception {
    float[] expected = GOLDEN.floats(type.name() + ".numbers");
    assertThat(load(weights(type))).isEqualTo(expected);
  }

  /** As a llama's q and k stand there: two heads of six rows. */
  @ParameterizedTest
  @EnumSource
  void interleavedRowsAreInOrder(RareBlocks type) throws Exception {
    float[] expected = GOLDEN.floats(type.name() + ".numbers");
    Weights weights = weights(type);
    weights.ordered(NAME, new Order.Interleaved(6), Order.SAME, Formula.PLAIN);
    float[] actual = load(weights);
    int[] fileRows = {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
    for (int row = 0; row < ROWS; row++) {
      assertThat(Arrays.copyOfRange(actual, row * COLUMNS, (row + 1) * COLUMNS))
          .isEqualTo(
              Arrays.copyOfRange(expected, fileRows[row] * COLUMNS, (fileRows[row] + 1) * COLUMNS));
    }
  }

  /** What merging reads: some rows from anywhere. */
  @ParameterizedTest
  @EnumSource
  void rowsAreReadAlone(RareBlocks type, Random random) throws Exception {
    float[] expected = GOLDEN.floats(type.name() + ".numbers");
    Weights weights = weights(type);
    TensorEntry entry = weights.entry(NAME);
    try (StoredRows rows = weights.rows()) {
      int first = random.nextInt(ROWS);
      int count = 1 + random.nextInt(ROWS - first);
      float[] x = new float[count * COLUMNS];
      rows.read(entry, first, count, x);
      assertThat(x)
          .isEqualTo(Arrays.copyOfRange(expected, first * COLUMNS, (first + count) * COLUMNS));
    }
  }

  /** Devices multiply from other blocks: `keep` holds numbers, `nf4` quantizes them. */
  @ParameterizedTest
  @EnumSource
  void theyAreHeldAsOtherTypes(RareBlocks type) throws Exception {
    Weights weights = weights(type);
    assertThat(weights.matrixType(NAME, DType.BF16)).isEqualTo(DType.BF16);
    weights.quantize(Quantize.KEEP, n -> true);
    assertThat(weights.matrixType(NAME, DType.BF16)).isEqualTo(DType.BF16);
    weights.quantize(Quantize.NF4, n -> true);
    assertThat(weights.matrixType(NAME, DType.BF16)).isEqualTo(DType.NF4);
  }
}
