package org.loranative.testing;

import org.loranative.io.DType;

/** Numbers as a dtype holds them. */
public final class Rounded {
  private Rounded() {}

  public static float[] to(float[] x, DType dtype) {
    float[] y = x.clone();
    for (int i = 0; i < y.length; i++) {
      y[i] =
          switch (dtype) {
            case BF16 -> Bf16.round(x[i]);
            case F16 -> F16.value(F16.bits(x[i]));
            default -> x[i];
          };
    }
    return y;
  }
}
