package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Graph;
import org.loranative.graph.Shape;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.StoredBase;

/** NF4 against bitsandbytes: what it quantizes, and checkpoints that it has written. */
class Nf4Test {
  private static final Path FOLDER = Golden.FOLDER.resolve("nf4");
  private static final Path MATRICES = FOLDER.resolve("matrices.safetensors");

  @ParameterizedTest
  @ValueSource(longs = {192, 1 << 22})
  void quantizesAsBitsandbytes(long piece) {
    Golden golden = new Golden(MATRICES);
    float[] source = golden.floats("double.source");
    int n = source.length;
    try (HostBuffer numbers = new HostBuffer(n * 4L);
        HostBuffer blocks = new HostBuffer(DType.NF4.bytes(n))) {
      numbers.view().asFloatBuffer().put(source);
      CpuDevice.quantizeNf4(numbers.address(), blocks, n, piece);
      ByteBuffer ours = blocks.view();
      assertThat(floats(ours, 0, 16)).isEqualTo(golden.floats("double.weight.quant_map"));
      assertThat(floats(ours, 64, 256)).isEqualTo(golden.floats("double.weight.nested_quant_map"));
      assertThat(bytes(ours, 1104, n / 2)).isEqualTo(golden.bytes("double.weight").array());
      assertThat(bytes(ours, 1104 + n / 2, n / 64))
          .isEqualTo(golden.bytes("double.weight.absmax").array());
      float[] factors = golden.floats("double.weight.nested_absmax");
      float[] ourFactors = floats(ours, ours.capacity() - 4 * factors.length, factors.length);
      assertThat(Errors.relative(ourFactors, factors)).isLessThan(1e-6);
    }
  }

  private static float[] floats(ByteBuffer from, int at, int n) {
    float[] values = new float[n];
    from.duplicate().order(ByteOrder.LITTLE_ENDIAN).position(at).asFloatBuffer();
    for (int i = 0; i < n; i++) {
      values[i] = from.getFloat(at + i * 4);
    }
    return values;
  }

  private static byte[] bytes(ByteBuffer from, int at, int n) {
    byte[] values = new byte[n];
    from.duplicate().position(at).get(values);
    return values;
  }

  /** Double and plain scales, taken apart where the device wants numbers. */
  @ParameterizedTest
  @ValueSource(strings = {"double", "single"})
  void readsMatrices(String name) {
    Weights weights = new Weights("nf4", Safetensors.read(MATRICES).tensors(), n -> n);
    assertThat(weights.shape(name + ".weight")).isEqualTo(Shape.of(100, 192));
    float[] actual = StoredBase.numbers(weights, name + ".weight");
    float[] expected = new Golden(MATRICES).floats(name + ".numbers");
    assertThat(Errors.relative(actual, expected)).isLessThan(1e-6);
  }

  /** A whole model that bitsandbytes has quantized: held in 4 bits, and taken apart. */
  @ParameterizedTest
  @CsvSource({
    "cpu, NF4, F32, 1e-5",
    "cpu, NONE, F32, 1e-5",
    "cuda-emu, NF4, F32, 1e-5",
    "cuda-check, KEEP, BF16, 3e-2",
    "cuda-emu, NF4, F16, 4e-3"
  })
  void readsModels(String deviceName, Quantize quantize, DType compute, double tolerance) {
    Golden golden = new Golden(FOLDER.resolve("golden.safetensors"));
    LlmBase base = LlmBase.open(FOLDER.resolve("base"));
    base.quantize(quantize);
    int[] ids = golden.ints("ids");
    Graph g = LlmGraph.logits(base, Adapters.none(), compute, ids.length, ids.length);
    String layer = "model.layers.1.mlp.down_proj.weight";
    assertThat(g.named().get(layer).dtype())
        .isEqualTo(quantize == Quantize.NONE ? compute : DType.NF4);
    float[] logits = StoredBase.logits(deviceName, base, g, ids);
    assertThat(Errors.relative(logits, golden.floats("logits"))).isLessThan(tolerance);
  }

  @Test
  void refusesPiecesThatDoNotFit(@TempDir Path temp) throws Exception {
    byte[] file = Files.readAllBytes(MATRICES);
    String text = new String(file, java.nio.charset.StandardCharsets.ISO_8859_1);
    String broken = text.replace("\"shape\": [100, 192]", "\"shape\": [101, 192]");
    Path path = temp.resolve("broken.safetensors");
    Files.write(path, broken.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> new Weights("nf4", Safetensors.read(path).tensors(), n -> n))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(".weight is U8 of 9600 bytes instead of U8 of 9696");
  }
}
