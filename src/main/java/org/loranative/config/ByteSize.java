package org.loranative.config;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes of memory as people write them. */
final class ByteSize {
  private static final Pattern BYTES =
      Pattern.compile("([0-9]*\\.?[0-9]+)\\s*([kmgt]?)(i?)b?", Pattern.CASE_INSENSITIVE);

  private ByteSize() {}

  /** A size in bytes: {@code 6GB} = 6·10⁹, {@code 6GiB} = 6·2³⁰. */
  static OptionalLong parse(String text) {
    Matcher m = BYTES.matcher(text.strip());
    if (!m.matches()) {
      return OptionalLong.empty();
    }
    int power = m.group(2).isEmpty() ? 0 : "kmgt".indexOf(m.group(2).toLowerCase(Locale.ROOT)) + 1;
    double unit = Math.pow(m.group(3).isEmpty() ? 1000 : 1024, power);
    return OptionalLong.of((long) (Double.parseDouble(m.group(1)) * unit));
  }
}
