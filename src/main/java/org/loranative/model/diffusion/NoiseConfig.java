package org.loranative.model.diffusion;

import java.nio.file.Path;

/**
 * How noise is added, as scheduler_config.json says.
 *
 * @param steps of the schedule
 * @param betaSchedule {@code scaled_linear} or {@code linear}
 * @param velocity whether the UNet predicts v (Salimans & Ho 2022) instead of the noise
 * @param stepsOffset added to the timesteps of a sampler with leading spacing
 * @param zeroTerminalSnr whether the schedule is rescaled to end in pure noise (Lin et al. 2024)
 */
public record NoiseConfig(
    int steps,
    double betaStart,
    double betaEnd,
    String betaSchedule,
    boolean velocity,
    int stepsOffset,
    boolean alphaOneAtEnd,
    boolean zeroTerminalSnr) {
  static NoiseConfig read(Path file) {
    Json json = Json.read(file);
    json.require("beta_schedule", "scaled_linear", "linear");
    json.require("prediction_type", "epsilon", "v_prediction");
    return new NoiseConfig(
        json.integer("num_train_timesteps", 1000),
        json.number("beta_start", 0.00085),
        json.number("beta_end", 0.012),
        json.text("beta_schedule", "scaled_linear"),
        json.text("prediction_type", "epsilon").equals("v_prediction"),
        json.integer("steps_offset", 0),
        json.flag("set_alpha_to_one", true),
        json.flag("rescale_betas_zero_snr", false));
  }
}
