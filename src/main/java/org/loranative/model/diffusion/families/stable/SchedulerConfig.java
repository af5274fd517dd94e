package org.loranative.model.diffusion.families.stable;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.diffusion.Spacing;
import org.loranative.model.diffusion.PartConfig;

/** What a folder's scheduler_config.json says of the noise that its model was trained on. */
final class SchedulerConfig {
  /**
   * Schedulers of diffusers that walk the same noise, each in its own way; ours is chosen apart.
   */
  private static final String[] KINDS = {
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSDEScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler"
  };

  private SchedulerConfig() {}

  /**
   * The noise schedule; absent keys have diffusers' defaults. The betas must be there: their
   * defaults differ from class to class.
   */
  static NoiseSchedule read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", KINDS);
    json.require("beta_schedule", "scaled_linear", "linear");
    json.require("trained_betas");
    json.require("prediction_type", "epsilon", "v_prediction");
    json.require("timestep_type", "discrete");
    json.require("timestep_spacing", "leading", "linspace", "trailing");
    json.require("interpolation_type", "linear");
    json.require("final_sigmas_type", "zero");
    json.require("use_flow_sigmas", "false");
    json.require("thresholding", "false");
    for (String bound : List.of("sigma_min", "sigma_max")) {
      json.require(bound);
    }
    // How one sampler of diffusers walks, where the user chooses among ours.
    json.ignore("algorithm_type", "clip_sample", "clip_sample_range", "disable_corrector");
    json.ignore("dynamic_thresholding_ratio", "euler_at_final", "flow_shift", "lambda_min_clipped");
    json.ignore("lower_order_final", "noise_sampler_seed", "original_inference_steps");
    json.ignore("predict_x0", "rescale_betas_zero_snr", "sample_max_value", "skip_prk_steps");
    json.ignore("solver_order", "solver_p", "solver_type", "stochastic_sampling");
    json.ignore("timestep_scaling", "use_beta_sigmas", "use_exponential_sigmas");
    json.ignore("use_karras_sigmas", "use_lu_lambdas", "variance_type", "shift_terminal");
    NoiseSchedule schedule =
        NoiseSchedule.of(
            json.text("beta_schedule", "linear").equals("linear")
                ? NoiseSchedule.Betas.LINEAR
                : NoiseSchedule.Betas.SCALED_LINEAR,
            json.integer("num_train_timesteps", 1000),
            json.number("beta_start"),
            json.number("beta_end"),
            json.flag("rescale_betas_zero_snr", false),
            Prediction.named(json.text("prediction_type", "epsilon")).orElseThrow(),
            json.has("timestep_spacing")
                ? Spacing.named(json.text("timestep_spacing", ""))
                : Optional.empty(),
            json.integer("steps_offset", 0),
            json.flag("set_alpha_to_one", true));
    json.warnOfUnknownKeys();
    return schedule;
  }
}
