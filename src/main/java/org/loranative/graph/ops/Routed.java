package org.loranative.graph.ops;

import org.loranative.graph.Value;

/** The experts of a mixture that each of M tokens goes to, k of E, however they were chosen. */
public interface Routed {
  /** [M, k] f32, what each counts. */
  Value weights();

  /** [M, k] i32, their numbers. */
  Value chosen();

  /** [M k] i32, the slot m k + j of each row, rows being sorted by expert. */
  Value order();

  /** [M k] i32, the row of each slot. */
  Value place();

  /** [E + 1] i32, where each expert's rows begin. */
  Value offsets();
}
