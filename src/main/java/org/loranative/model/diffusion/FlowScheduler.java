package org.loranative.model.diffusion;

import java.nio.file.Path;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowShift;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;

/** A scheduler_config.json of diffusers for flow matching: the noise of training. */
public final class FlowScheduler {
  private FlowScheduler() {}

  /**
   * @param spacing of a sampler's steps, as the family's pipeline has it
   * @param usual how its community draws times of training
   */
  public static FlowMatching read(Path file, FlowSpacing spacing, TimestepSampling usual) {
    PartConfig json = PartConfig.read(file);
    json.require(
        "_class_name", "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler");
    json.require("shift_terminal");
    json.require("invert_sigmas", "false");
    // How one sampler of diffusers walks.
    json.ignore("stochastic_sampling", "use_beta_sigmas");
    json.ignore("use_exponential_sigmas", "use_karras_sigmas");
    FlowMatching flow =
        new FlowMatching(json.integer("num_train_timesteps", 1000), shift(json), spacing, usual);
    json.warnOfUnknownKeys();
    return flow;
  }

  private static FlowShift shift(PartConfig json) {
    if (!json.flag("use_dynamic_shifting", false)) {
      json.ignore("base_image_seq_len", "base_shift", "max_image_seq_len", "max_shift");
      json.ignore("time_shift_type");
      return new FlowShift.Constant(json.number("shift", 1));
    }
    json.require("time_shift_type", "exponential");
    json.ignore("shift");
    FlowShift.BySize usual = FlowShift.BySize.FLUX;
    return new FlowShift.BySize(
        json.number("base_shift", usual.base()),
        json.number("max_shift", usual.most()),
        json.integer("base_image_seq_len", usual.fewTokens()),
        json.integer("max_image_seq_len", usual.manyTokens()));
  }
}
