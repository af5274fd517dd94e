package org.loranative.model.diffusion.families.zimage;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Denoiser;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;

/** Z-Image's transformer as the denoiser. */
record ZImageDenoiser(ZImageConfig config) implements Denoiser {
  private static final int NARROW = 1024;

  /** Pictures of 1024 × 1024, by which its authors show it. */
  private static final List<Integer> SAMPLE_SIZE = List.of(128, 128);

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
    return ZImageTransformer.PATCH;
  }

  @Override
  public int step() {
    return ZImageTransformer.PATCH;
  }

  @Override
  public boolean isSmall() {
    return config.width() < NARROW;
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
