package org.loranative.model.diffusion.families.flux;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Denoiser;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/** FLUX's transformer as the denoiser. */
record FluxDenoiser(FluxConfig config) implements Denoiser {
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
    return new FluxTransformer(config, net).predict(latents, timesteps, conditions);
  }

  @Override
  public Map<String, float[]> told(Framing framing, double guidance) {
    return config.told()
        ? Map.of(FluxTransformer.GUIDANCE, FluxTransformer.told(guidance))
        : Map.of();
  }
}
