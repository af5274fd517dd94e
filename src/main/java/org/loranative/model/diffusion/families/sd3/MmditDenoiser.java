package org.loranative.model.diffusion.families.sd3;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Denoiser;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;

/** The MMDiT as the denoiser; it is told nothing of an image's size. */
record MmditDenoiser(MmditConfig config) implements Denoiser {
  private static final int NARROW = 1024;

  @Override
  public String part() {
    return "transformer";
  }

  @Override
  public List<Integer> sampleSize() {
    return List.of(config.sampleSize(), config.sampleSize());
  }

  @Override
  public int leastSide() {
    return config.patch();
  }

  @Override
  public int step() {
    return config.patch();
  }

  @Override
  public boolean isSmall() {
    return config.width() < NARROW;
  }

  @Override
  public Value predict(
      Net net, Features latents, Value timesteps, Map<String, Value> conditions, long keys) {
    return new Mmdit(config, net)
        .predict(
            latents,
            timesteps,
            conditions.get(Sd3Encoders.TEXT),
            conditions.get(Sd3Encoders.POOLED));
  }

  @Override
  public Map<String, float[]> told(Framing framing, double guidance) {
    return Map.of();
  }
}
