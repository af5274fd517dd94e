package org.loranative.model.diffusion.families.zimage;

import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.dit.TokenDenoiser;

/** Z-Image's transformer as the denoiser. */
record ZImageDenoiser(ZImageConfig config) implements TokenDenoiser {
  @Override
  public int width() {
    return config.width();
  }

  @Override
  public Value predict(
      Net net, Features latents, Value timesteps, Map<String, Value> conditions, long keys) {
    return new ZImageTransformer(net, config)
        .predict(latents, timesteps, conditions.get(ZImageEncoders.TEXT));
  }

  @Override
  public Map<String, float[]> told(Framing framing, double guidance) {
    return Map.of();
  }
}
