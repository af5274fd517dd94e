package org.loranative.export.blocks;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.io.DType;
import org.loranative.io.Half;

/** The storage types that can be written. */
public final class Encoders {
  private static final Map<DType, Encoder> ALL = new EnumMap<>(DType.class);

  static {
    ALL.put(
        DType.F32,
        (x, from, n, to) -> {
          for (int i = from; i < from + n; i++) {
            to.putFloat(x[i]);
          }
        });
    ALL.put(
        DType.F16,
        (x, from, n, to) -> {
          for (int i = from; i < from + n; i++) {
            to.putShort(Half.of(x[i]));
          }
        });
    ALL.put(
        DType.BF16,
        (x, from, n, to) -> {
          for (int i = from; i < from + n; i++) {
            to.putShort(Half.toBrain(x[i]));
          }
        });
    ALL.put(DType.Q8_0, new Q8());
    ALL.put(DType.Q4_0, new SymmetricBlocks(4));
    ALL.put(DType.Q5_0, new SymmetricBlocks(5));
    ALL.put(DType.Q4_1, new AffineBlocks(4));
    ALL.put(DType.Q5_1, new AffineBlocks(5));
    ALL.put(DType.Q4_K, new AffineSuperBlocks(4));
    ALL.put(DType.Q5_K, new AffineSuperBlocks(5));
    ALL.put(DType.Q6_K, new Q6K());
  }

  private Encoders() {}

  /** Of a type, if it can be written. */
  public static Optional<Encoder> of(DType type) {
    return Optional.ofNullable(ALL.get(type));
  }
}
