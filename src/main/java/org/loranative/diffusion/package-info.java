/** Noise schedules and samplers of diffusion models, as diffusers computes them. */
package org.loranative.diffusion;
