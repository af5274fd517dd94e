package org.loranative.testing;

/** f16 as Java sees it. */
public final class F16 {
  private F16() {}

  /** Rounds to nearest, ties to even; finite numbers within f16's range. */
  public static short bits(float x) {
    int sign = Float.floatToRawIntBits(x) >>> 16 & 0x8000;
    double magnitude = Math.abs((double) x);
    int exponent = Math.max(Math.getExponent(magnitude), -14);
    long steps = (long) Math.rint(Math.scalb(magnitude, 10 - exponent));
    // A carry out of the mantissa moves into the exponent by itself.
    long bits = steps == 0 ? 0 : ((long) (exponent + 14) << 10) + steps;
    return (short) (sign | bits);
  }

  public static float value(short bits) {
    int exponent = bits >>> 10 & 31;
    int mantissa = bits & 0x3ff;
    double magnitude =
        exponent == 31
            ? (mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
            : exponent == 0
                ? Math.scalb((double) mantissa, -24)
                : Math.scalb(1024.0 + mantissa, exponent - 25);
    return (float) (bits < 0 ? -magnitude : magnitude);
  }
}
