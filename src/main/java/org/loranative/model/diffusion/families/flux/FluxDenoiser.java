package org.loranative.model.diffusion.families.flux;

import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.dit.TokenDenoiser;

/** FLUX's transformer as the denoiser. */
record FluxDenoiser(FluxConfig config) implements TokenDenoiser {
  @Override
  public int width() {
    return config.transformer().width();
  }

  @Override
  public Value predict(
      Net net, Features latents, Value timesteps, Map<String, Value> conditions, long keys) {
    return new FluxTransformer(config, net).predict(latents, timesteps, conditions);
  }

  @Override
  public Map<String, float[]> told(Framing framing, double guidance) {
    return config.told()
        ? Map.of(FluxTransformer.GUIDANCE, FluxTransformer.told(guidance))
        : Map.of();
  }
}
