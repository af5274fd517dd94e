package org.loranative.train.diffusion;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    Path latents = folder.resolve("latents.safetensors");
    float[] noise = new Golden(Golden.FOLDER.resolve("emoji.safetensors")).floats("latents");
    ByteBuffer data = ByteBuffer.allocate(noise.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(noise);
    Safetensors.write(
        latents,
        List.of(new Safetensors.Tensor("latents", DType.F32, List.of(1L, 4L, 16L, 16L), data)),
        Map.of());
    return latents;
  }

  /** Draws it. */
  static float[] draw(DiffusionBase model, List<AdapterSource> adapters, Path latents) {
    Painter.Order order =
        new Painter.Order("grinning face", "", 64, 64, model.sampler("ddim", ""), 4, 4, 1, 0);
    try (Pictures pictures = new Pictures(model, adapters, Machine.of("cpu", "f32"))) {
      return pictures.draw(order, Optional.of(latents)).rgb();
    }
  }
}
