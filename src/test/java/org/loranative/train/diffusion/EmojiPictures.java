package org.loranative.train.diffusion;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.loranative.export.AdapterSource;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Painter;
import org.loranative.testing.Golden;
import org.loranative.train.machine.Machine;

/** The picture that the golden files' scripts have diffusers draw with the demo's model. */
final class EmojiPictures {
  private EmojiPictures() {}

  /** Writes the noise that it begins with. */
  static Path latents(Path folder) throws Exception {
    float[] noise = new Golden(Golden.FOLDER.resolve("emoji.safetensors")).floats("latents");
    return write(folder, noise, 4, 16);
  }

  /** Writes fresh noise of a square. */
  static Path latents(Path folder, Random random, int channels, int side) throws Exception {
    float[] noise = new float[channels * side * side];
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) random.nextGaussian();
    }
    return write(folder, noise, channels, side);
  }

  private static Path write(Path folder, float[] noise, long channels, long side) throws Exception {
    Path latents = folder.resolve("latents.safetensors");
    ByteBuffer data = ByteBuffer.allocate(noise.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(noise);
    Safetensors.write(
        latents,
        List.of(
            new Safetensors.Tensor("latents", DType.F32, List.of(1L, channels, side, side), data)),
        Map.of());
    return latents;
  }

  /** Draws it. */
  static float[] draw(DiffusionBase model, List<AdapterSource> adapters, Path latents) {
    return draw(model, adapters, latents, "ddim");
  }

  static float[] draw(
      DiffusionBase model, List<AdapterSource> adapters, Path latents, String sampler) {
    Painter.Order order =
        new Painter.Order("grinning face", "", 64, 64, model.sampler(sampler, ""), 4, 4, 1, 0);
    try (Pictures pictures = new Pictures(model, adapters, Machine.of("cpu", "f32"))) {
      return pictures.draw(order, Optional.of(latents)).rgb();
    }
  }
}
