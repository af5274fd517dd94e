package org.loranative.io;

/** IEEE 754's 16-bit floats (binary16) and bfloat16, as bits. */
public final class Half {
  private Half() {}

  /** The value of a binary16. */
  public static float toFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = half >> 10 & 31;
    int mantissa = half & 1023;
    if (exponent == 0) {
      return Math.copySign(mantissa * 0x1p-24f, Float.intBitsToFloat(sign));
    }
    int bits = exponent == 31 ? 255 << 23 : exponent + 112 << 23;
    return Float.intBitsToFloat(sign | bits | mantissa << 13);
  }

  /** The nearest binary16, ties to even; what is beyond the largest becomes infinite. */
  public static short of(float x) {
    int bits = Float.floatToRawIntBits(x);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return (short) (sign | 0x7e00); // NaN
    }
    if (magnitude >= 0x477ff000) {
      return (short) (sign | 0x7c00); // 65520 and more
    }
    if (magnitude < 0x38800000) {
      // Subnormal: a whole number of 2^-24, which addition to 0.5 rounds to.
      float shifted = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | (Float.floatToRawIntBits(shifted) & 0x7ff));
    }
    return (short) (sign | even(magnitude, 13) - (112 << 10));
  }

  /** The value of a bfloat16. */
  public static float ofBrain(short brain) {
    return Float.intBitsToFloat(brain << 16);
  }

  /** The nearest bfloat16, ties to even. */
  public static short toBrain(float x) {
    int bits = Float.floatToRawIntBits(x);
    return (short) (Float.isNaN(x) ? bits >>> 16 | 0x40 : even(bits, 16));
  }

  /** {@code bits} without its last ones, rounded to nearest, ties to even. */
  private static int even(int bits, int last) {
    int half = (1 << last - 1) - 1;
    return bits + half + (bits >>> last & 1) >>> last;
  }
}
