package org.loranative.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.testing.Golden;

/** Against transformers' convert_moe_packed_tensors, by make_mxfp4_golden.py. */
class PackedMxfp4Test {
  private static final List<Long> SCALES = List.of(2L, 3L, 2L);
  private static final JsonNode GOLDEN = JsonFile.read(Golden.FOLDER.resolve("mxfp4/packed.json"));

  @TempDir Path folder;

  private Weights weights(Safetensors.Tensor... tensors) throws Exception {
    Path file = folder.resolve("model.safetensors");
    Safetensors.write(file, List.of(tensors), Map.of());
    return new Weights("x", Safetensors.read(file).tensors(), name -> name + "_blocks");
  }

  private static Safetensors.Tensor bytes(String name, String from, List<Long> shape) {
    JsonNode list = GOLDEN.path(from);
    ByteBuffer bytes = ByteBuffer.allocate(list.size());
    list.forEach(b -> bytes.put((byte) b.asInt()));
    return new Safetensors.Tensor(name, DType.U8, shape, bytes.flip());
  }

  private static Safetensors.Tensor blocks() {
    return bytes("w_blocks", "blocks", List.of(2L, 3L, 2L, 16L));
  }

  private static float[] numbers() {
    float[] numbers = new float[GOLDEN.path("numbers").size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = GOLDEN.path("numbers").get(i).floatValue() + 0f; // no -0
    }
    return numbers;
  }

  @Test
  void numbersAreThoseOfTransformers() throws Exception {
    Weights weights = weights(blocks(), bytes("w_scales", "scales", SCALES));
    assertThat(weights.shape("w")).isEqualTo(Shape.of(2, 3, 64));
    Graph g = new Graph();
    Value w = g.named(Kind.WEIGHT, "w", DType.F32, weights.shape("w"));
    try (Device device = new CpuDevice(1);
        LoadedWeights loaded = weights.load(g.named(), device);
        HostBuffer host = new HostBuffer(w.bytes())) {
      device.download(host, loaded.address(w), w.bytes());
      float[] actual = new float[(int) w.shape().size()];
      host.view().asFloatBuffer().get(actual);
      assertThat(actual).isEqualTo(numbers());
    }
  }

  /** What merging and comparing read: some rows from anywhere. */
  @Test
  void rowsAreReadAlone() throws Exception {
    Weights weights = weights(blocks(), bytes("w_scales", "scales", SCALES));
    TensorEntry entry = weights.entry("w");
    try (StoredRows rows = weights.rows()) {
      float[] x = new float[2 * 64];
      rows.read(entry, 3, 2, x);
      assertThat(x).isEqualTo(java.util.Arrays.copyOfRange(numbers(), 3 * 64, 5 * 64));
    }
  }

  @Test
  void keepHoldsThemInBlocks() throws Exception {
    Weights weights = weights(blocks(), bytes("w_scales", "scales", SCALES));
    assertThat(weights.matrixType("w", DType.BF16)).isEqualTo(DType.BF16);
    weights.quantize(Quantize.KEEP, n -> true);
    assertThat(weights.matrixType("w", DType.BF16)).isEqualTo(DType.MXFP4);
  }

  @Test
  void eachGroupNeedsItsScale() throws Exception {
    assertThatThrownBy(() -> weights(blocks()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("has w_blocks without w_scales beside it");
    assertThatThrownBy(() -> weights(blocks(), bytes("w_scales", "scales", List.of(2L, 2L, 3L))))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("MXFP4 is bytes [experts, out, in / 32, 16]");
  }

  /** Merging copies them, unless it changes some. */
  @Test
  void theyStayAsTheyLie() throws Exception {
    Safetensors.Tensor scales = bytes("w_scales", "scales", SCALES);
    Weights weights = weights(blocks(), scales);
    Map<String, TensorEntry> file = Safetensors.read(folder.resolve("model.safetensors")).tensors();
    assertThat(weights.stored(file)).isEqualTo(file);
    assertThat(weights.isPacked("w")).isTrue();
    assertThat(weights.unpacked(file)).isEmpty();
  }
}
