package org.loranative.diffusion;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a user may choose of a run's noise.
 *
 * @param minTimestep the first timestep that is drawn
 * @param maxTimestep behind the last one
 * @param minSnrGamma see {@link SnrWeight}
 * @param debiasedEstimation see {@link SnrWeight}
 * @param sampling of flow matching; the process's own if absent
 * @param flowShift see {@link FlowMatching}; the process's own if absent
 */
public record NoiseChoice(
    int minTimestep,
    int maxTimestep,
    double minSnrGamma,
    boolean debiasedEstimation,
    Optional<TimestepSampling> sampling,
    OptionalDouble flowShift,
    FlowWeighting weighting) {}
