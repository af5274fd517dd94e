package org.loranative.diffusion;

/** Where a sampler of flow matching takes its last step from, before σ is shifted. */
public enum FlowSpacing {
  /** The least σ of training, shifted, as diffusers' scheduler does where nobody tells it. */
  TRAINED {
    @Override
    double least(FlowMatching flow, int steps, long latents) {
      return flow.shift().shifted(1.0 / flow.steps(), latents);
    }
  },
  /** One of as many even steps, as diffusers' pipelines of FLUX and its relatives tell it. */
  EVEN {
    @Override
    double least(FlowMatching flow, int steps, long latents) {
      return 1.0 / steps;
    }
  };

  abstract double least(FlowMatching flow, int steps, long latents);
}
