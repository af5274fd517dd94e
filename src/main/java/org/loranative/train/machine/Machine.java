package org.loranative.train.machine;

import org.loranative.model.weights.Quantize;

/**
 * Where and in what a model runs beside training.
 *
 * @param device as in the configuration; compute likewise
 * @param threads 0 for one for each physical core
 */
public record Machine(String device, String compute, int threads, Quantize quantize) {
  /** Weights in the compute dtype, as many threads as cores. */
  public static Machine of(String device, String compute) {
    return new Machine(device, compute, 0, Quantize.NONE);
  }
}
