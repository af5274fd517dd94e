package org.loranative.graph;

import java.nio.ByteBuffer;
import org.loranative.io.DType;

/**
 * What changes from step to step ({@code ln_step} in {@code lora_ops.h}): it lives in device memory
 * and is written before each run, so that a plan never carries it as an argument.
 *
 * @param seed Philox key
 * @param step optimizer step, 1 for the first
 * @param microStep index within the optimizer step
 * @param learningRate of this step
 * @param beta1 of the optimizer, from which 1 − β₁ᵗ is made; likewise beta2
 * @param labelled labelled tokens of the whole optimizer batch
 * @param lossScale how many times their value gradients are kept, 1 but in f16
 */
public record StepState(
    long seed,
    int step,
    int microStep,
    double learningRate,
    double beta1,
    double beta2,
    long labelled,
    float lossScale) {
  public static final int BYTES = 64;

  /** Without a loss scale. */
  public StepState(
      long seed,
      int step,
      int microStep,
      double learningRate,
      double beta1,
      double beta2,
      long labelled) {
    this(seed, step, microStep, learningRate, beta1, beta2, labelled, 1);
  }

  /** The value by which ops name it. */
  public static Value value(Graph g) {
    return g.named(Kind.STATE, "step", DType.I32, Shape.of(BYTES / 4));
  }

  public void write(ByteBuffer to) {
    to.putLong(0, seed);
    to.putInt(8, step);
    to.putInt(12, microStep);
    to.putFloat(16, (float) learningRate);
    to.putFloat(20, (float) (1 - Math.pow(beta1, step)));
    to.putFloat(24, (float) (1 - Math.pow(beta2, step)));
    to.putFloat(28, (float) (1.0 / Math.max(labelled, 1)));
    to.putFloat(32, lossScale);
  }
}
