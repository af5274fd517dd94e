package org.loranative.model.weights;

import java.util.Locale;

/** How frozen matrices are held while a model runs. */
public enum Quantize {
  /** In the compute dtype, whatever the file has. */
  NONE,
  /** In 4 bits (QLoRA): bitsandbytes' NF4 with double quantization. */
  NF4,
  /** In the file's own blocks or floats of 4 to 8 bits, where it has such. */
  KEEP;

  /** The constant of that name in the configuration. */
  public static Quantize named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
