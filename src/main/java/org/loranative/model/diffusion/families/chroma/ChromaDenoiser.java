package org.loranative.model.diffusion.families.chroma;

import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.dit.TokenDenoiser;

/**
 * Chroma's transformer as the denoiser.
 *
 * @param numbers see {@link Approximator#numbers}
 */
record ChromaDenoiser(ChromaConfig config, float[] numbers) implements TokenDenoiser {
  ChromaDenoiser(ChromaConfig config) {
    this(config, Approximator.numbers(config));
  }

  @Override
  public int width() {
    return config.transformer().width();
  }

  @Override
  public Value predict(
      Net net, Features latents, Value timesteps, Map<String, Value> conditions, long keys) {
    Value padding = net.graph().input(ChromaTexts.PADDING, DType.I32, latents.images());
    return config
        .transformer()
        .predict(
            net,
            latents,
            conditions.get(ChromaEncoders.TEXT),
            Optional.of(padding),
            Approximator.of(net, config, timesteps));
  }

  @Override
  public Map<String, float[]> told(Framing framing, double guidance) {
    return Map.of(Approximator.NUMBERS, numbers);
  }
}
