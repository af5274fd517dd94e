package org.loranative.lora;

import org.loranative.io.DType;

/**
 * A flat buffer that lasts as long as a training run, beside the adapters: gradients, and what an
 * optimizer keeps between steps.
 *
 * @param name in graphs and in checkpoints
 * @param size in elements
 * @param kept whether a checkpoint holds it
 */
public record Slot(String name, DType dtype, long size, Start start, boolean kept) {
  /** What it holds when a run begins. */
  public sealed interface Start {
    /** Zeros. */
    record Zeros() implements Start {}

    /** The parameters that the run begins with. */
    record Parameters() implements Start {}

    /** What follows the parameters, whenever they change. */
    record Following() implements Start {}

    /** Given numbers, f32. */
    record Numbers(float[] values) implements Start {}

    /** Given numbers, i32. */
    record Integers(int[] values) implements Start {}
  }

  /** Zeros at first. */
  public static Slot zeros(String name, DType dtype, long size) {
    return new Slot(name, dtype, size, new Start.Zeros(), true);
  }

  /** A copy of the parameters at first. */
  public static Slot ofParameters(String name, long size) {
    return new Slot(name, DType.F32, size, new Start.Parameters(), true);
  }

  /** Given numbers at first. */
  public static Slot of(String name, float... first) {
    return new Slot(name, DType.F32, first.length, new Start.Numbers(first), true);
  }

  /** Numbers that never change and are the same in every run: no checkpoint holds them. */
  public static Slot constant(String name, float... values) {
    return new Slot(name, DType.F32, values.length, new Start.Numbers(values), false);
  }

  /** Likewise. */
  public static Slot constant(String name, int... values) {
    return new Slot(name, DType.I32, values.length, new Start.Integers(values), false);
  }

  long bytes() {
    return dtype.bytes(size);
  }
}
