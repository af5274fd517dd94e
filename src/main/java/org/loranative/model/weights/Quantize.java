package org.loranative.model.weights;

import java.util.Locale;

/** How frozen matrices are held while a model runs. */
public enum Quantize {
  /** In the compute dtype, whatever the file has. */
  NONE("in any dtype"),
  /** In 4 bits (QLoRA): bitsandbytes' NF4 with double quantization. */
  NF4("of whole blocks of NF4, nor one in blocks of its own"),
  /** In the file's own blocks or floats of 4 to 8 bits, where it has such. */
  KEEP("in blocks that can be held; those of FP8 can where rows are a multiple of 128 numbers");

  /** What a matrix must be to be held so, in words. */
  public final String asks;

  Quantize(String asks) {
    this.asks = asks;
  }

  /** The constant of that name in the configuration. */
  public static Quantize named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
