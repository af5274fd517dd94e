package org.loranative.testing;

/** bf16 as Java sees it: the reference that native rounding is held against. */
public final class Bf16 {
  private Bf16() {}

  /** Rounds to nearest, ties to even. */
  public static short bits(float x) {
    int bits = Float.floatToRawIntBits(x);
    if (Float.isNaN(x)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  public static float value(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  public static float round(double x) {
    return value(bits((float) x));
  }
}
