package org.loranative.optim;

/**
 * What a user can set of an optimizer, beside the learning rate; each optimizer says what these
 * mean to it.
 *
 * @param beta1 decay of the mean of gradients
 * @param beta2 decay of the mean of their squares
 * @param epsilon added to a denominator
 * @param weightDecay decoupled: times the learning rate, on the parameters
 * @param warmup whether the learning rate rises from 0 at first
 */
public record Hyperparameters(
    float beta1, float beta2, float epsilon, float weightDecay, boolean warmup) {
  /** Without warmup. */
  public Hyperparameters(float beta1, float beta2, float epsilon, float weightDecay) {
    this(beta1, beta2, epsilon, weightDecay, false);
  }
}
