package org.loranative.graph.ops;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.loranative.device.CpuDevice;
import org.loranative.device.HostBuffer;
import org.loranative.device.LoraOps;
import org.loranative.io.DType;
import org.loranative.testing.Golden;

/** A frozen matrix in blocks, and the numbers that they stand for. */
record BlockMatrix(DType type, ByteBuffer bytes, float[] numbers) {
  /** {@code n} numbers in random blocks: GGUF's own golden ones, or random numbers in NF4. */
  static BlockMatrix random(DType type, int n, Random r) {
    return type == DType.NF4 ? nf4(n, r) : picked(type, n, r);
  }

  private static BlockMatrix picked(DType type, int n, Random r) {
    Golden golden = new Golden(Golden.FOLDER.resolve("blocks.safetensors"));
    byte[] blocks = golden.bytes(type + ".blocks").array();
    float[] values = golden.floats(type + ".values");
    int elements = type.elementsPerBlock;
    ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(n));
    float[] numbers = new float[n];
    for (int i = 0; i < n / elements; i++) {
      int block = r.nextInt(values.length / elements);
      bytes.put(blocks, block * type.bytesPerBlock, type.bytesPerBlock);
      System.arraycopy(values, block * elements, numbers, i * elements, elements);
    }
    return new BlockMatrix(type, bytes.flip(), numbers);
  }

  private static BlockMatrix nf4(int n, Random r) {
    try (CpuDevice device = new CpuDevice(1);
        HostBuffer source = new HostBuffer(n * 4L);
        HostBuffer blocks = new HostBuffer(DType.NF4.bytes(n));
        HostBuffer decoded = new HostBuffer(n * 4L)) {
      source.view().asFloatBuffer().put(OpCases.normal(r, n, 0.1));
      CpuDevice.quantizeNf4(source.address(), blocks, n);
      device.check(
          LoraOps.ln_dequantize_fwd(
              device.handle(),
              blocks.address(),
              DType.NF4.code,
              decoded.address(),
              DType.F32.code,
              0,
              1,
              n,
              n));
      byte[] bytes = new byte[(int) DType.NF4.bytes(n)];
      blocks.view().get(bytes);
      float[] numbers = new float[n];
      decoded.view().asFloatBuffer().get(numbers);
      return new BlockMatrix(
          DType.NF4, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), numbers);
    }
  }
}
