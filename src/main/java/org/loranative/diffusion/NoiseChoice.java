package org.loranative.diffusion;

/**
 * What a user may choose of a run's noise.
 *
 * @param minTimestep the first timestep that is drawn
 * @param maxTimestep behind the last one
 * @param minSnrGamma see {@link SnrWeight}
 * @param debiasedEstimation see {@link SnrWeight}
 */
public record NoiseChoice(
    int minTimestep, int maxTimestep, double minSnrGamma, boolean debiasedEstimation) {}
