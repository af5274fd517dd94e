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
  /** {@code n} numbers in random blocks: GGUF's own golden ones, or random ones of no GGUF. */
  static BlockMatrix random(DType type, int n, Random r) {
    return switch (type) {
      case NF4 -> nf4(n, r);
      case FP8 -> fp8(n, r);
      default -> picked(type, n, r);
    };
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
    try (HostBuffer source = new HostBuffer(n * 4L);
        HostBuffer blocks = new HostBuffer(DType.NF4.bytes(n))) {
      source.view().asFloatBuffer().put(OpCases.normal(r, n, 0.1));
      CpuDevice.quantizeNf4(source.address(), blocks, n);
      return decoded(DType.NF4, blocks, n);
    }
  }

  /** Whose codes {@code Float8Test} holds to their numbers; none is NaN. */
  private static BlockMatrix fp8(int n, Random r) {
    try (HostBuffer blocks = new HostBuffer(DType.FP8.bytes(n))) {
      byte[] bytes = new byte[(int) DType.FP8.bytes(n)];
      r.nextBytes(bytes);
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] &= (bytes[i] & 127) == 127 ? 126 : -1;
      }
      ByteBuffer to = blocks.view().put(bytes);
      for (int i = 0; i < bytes.length; i += DType.FP8.bytesPerBlock) {
        to.putFloat(i, 0.001f * (1 + r.nextFloat()));
      }
      return decoded(DType.FP8, blocks, n);
    }
  }

  /** Blocks with what the CPU takes them for. */
  private static BlockMatrix decoded(DType type, HostBuffer blocks, int n) {
    try (CpuDevice device = new CpuDevice(1);
        HostBuffer decoded = new HostBuffer(n * 4L)) {
      device.check(
          LoraOps.ln_dequantize_fwd(
              device.handle(),
              blocks.address(),
              type.code,
              decoded.address(),
              DType.F32.code,
              0,
              1,
              n,
              n));
      byte[] bytes = new byte[(int) type.bytes(n)];
      blocks.view().get(bytes);
      float[] numbers = new float[n];
      decoded.view().asFloatBuffer().get(numbers);
      return new BlockMatrix(type, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN), numbers);
    }
  }
}
