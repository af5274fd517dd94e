package org.loranative.io;

import java.util.Optional;

/**
 * How numbers are stored: plain types are blocks of one element, GGUF's quantized types blocks of
 * 32 or 256. {@link #code} equals the LN_ constant of {@code lora_ops.h}.
 *
 * <p>NF4 is bitsandbytes' 4-bit type with double quantization: blocks of 64 that share a scale,
 * whose scales lie behind all blocks and tables before them (see LN_NF4 there).
 */
public enum DType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  BF16(2, 1, 2),
  I32(3, 1, 4),
  U8(4, 1, 1),
  Q8_0(8, 32, 34),
  Q4_0(9, 32, 18),
  Q4_1(10, 32, 20),
  Q5_0(11, 32, 22),
  Q5_1(12, 32, 24),
  Q4_K(13, 256, 144),
  Q5_K(14, 256, 176),
  Q6_K(15, 256, 210),
  NF4(16, 64, 33),
  /** Floats of 8 bits, which are widened as they are read. */
  F8_E4M3(17, 1, 1),
  F8_E5M2(18, 1, 1),
  /** Floats of 4 bits with a power of two for each 32 (OCP Microscaling Formats), GGUF's order. */
  MXFP4(19, 32, 17),
  /** {@link #F8_E4M3} by 128, with their scale in f32 before them (LN_FP8): of no file. */
  FP8(20, 128, 132);

  public final int code;
  public final int elementsPerBlock;
  public final int bytesPerBlock;

  DType(int code, int elementsPerBlock, int bytesPerBlock) {
    this.code = code;
    this.elementsPerBlock = elementsPerBlock;
    this.bytesPerBlock = bytesPerBlock;
  }

  /** NF4's tables, which stand before the first block. */
  public static final int NF4_HEADER_BYTES = 1104;

  /** Whether elements share scales: frozen matrices may be stored so, activations never. */
  public boolean isBlocks() {
    return elementsPerBlock > 1;
  }

  /** Bytes of {@code elements} elements, which must be whole blocks. */
  public long bytes(long elements) {
    assert elements % elementsPerBlock == 0 : elements + " elements of " + this;
    if (this == NF4) {
      long scales = elements / elementsPerBlock;
      return NF4_HEADER_BYTES + elements / 2 + (scales + 3) / 4 * 4 + (scales + 255) / 256 * 4;
    }
    return Math.multiplyExact(elements / elementsPerBlock, (long) bytesPerBlock);
  }

  /** The type called {@code name} (as in a safetensors header), if we can read it. */
  public static Optional<DType> named(String name) {
    for (DType t : values()) {
      if (t.name().equals(name)) {
        return Optional.of(t);
      }
    }
    return Optional.empty();
  }
}
