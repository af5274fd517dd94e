package org.loranative.model.diffusion.families.chroma;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Denoiser;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/**
 * Chroma's transformer as the denoiser.
 *
 * @param numbers see {@link Approximator#numbers}
 */
record ChromaDenoiser(ChromaConfig config, float[] numbers) implements Denoiser {
  private static final int NARROW = 1024;

  /** Pictures of 1024 × 1024, by which its authors show it. */
  private static final List<Integer> SAMPLE_SIZE = List.of(128, 128);

  ChromaDenoiser(ChromaConfig config) {
    this(config, Approximator.numbers(config));
  }

  @Override
  public String part() {
    return "transformer";
  }

  @Override
  public List<Integer> sampleSize() {
    return SAMPLE_SIZE;
  }

  @Override
  public int leastSide() {
    return RotaryTransformer.PATCH;
  }

  @Override
  public int step() {
    return RotaryTransformer.PATCH;
  }

  @Override
  public boolean isSmall() {
    return config.transformer().width() < NARROW;
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
