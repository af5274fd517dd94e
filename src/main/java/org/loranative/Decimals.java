package org.loranative;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;

/** Numbers as people write them. */
public final class Decimals {
  private Decimals() {}

  /** Without a fraction where there is none. */
  public static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : String.valueOf(value);
  }

  /** The same, small ones as in {@code 2e-4}. */
  public static String brief(double value) {
    return value != 0 && Math.abs(value) < 1e-3
        ? new DecimalFormat("0.###E0", DecimalFormatSymbols.getInstance(Locale.ROOT))
            .format(value)
            .replace('E', 'e')
        : plain(value);
  }
}
