package org.loranative.model.diffusion.families.stable;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Denoiser;
import org.loranative.model.diffusion.Features;
import org.loranative.model.diffusion.Framing;

/** The UNet as the denoiser; SDXL's is told sizes and crops. */
record UnetDenoiser(UnetConfig config) implements Denoiser {
  private static final String SIZES = "sizes";
  private static final int NARROW = 640;

  /** Whether it reads pooled text and sizes. */
  private boolean isTold() {
    return config.sizeEmbedding() > 0;
  }

  @Override
  public String part() {
    return "unet";
  }

  @Override
  public List<Integer> sampleSize() {
    return config.sampleSize();
  }

  @Override
  public int leastSide() {
    return 1 << (config.levels().size() - 1);
  }

  /** Odd sizes are halved upwards. */
  @Override
  public int step() {
    return 1;
  }

  @Override
  public boolean isSmall() {
    return config.innermost().channels() < NARROW;
  }

  @Override
  public Value predict(
      Net net, Features latents, Value timesteps, Map<String, Value> conditions, long keys) {
    Optional<Unet.Added> added =
        isTold()
            ? Optional.of(
                new Unet.Added(
                    conditions.get(ClipEncoders.POOLED),
                    net.graph().input(SIZES, DType.F32, latents.images() * Unet.SIZES)))
            : Optional.empty();
    return new Unet(config, net)
        .predict(latents, timesteps, conditions.get(ClipEncoders.TEXT), keys, added);
  }

  @Override
  public Map<String, float[]> told(Framing f, double guidance) {
    return isTold()
        ? Map.of(
            SIZES,
            new float[] {
              f.originalHeight(), f.originalWidth(), f.top(), f.left(), f.height(), f.width()
            })
        : Map.of();
  }
}
