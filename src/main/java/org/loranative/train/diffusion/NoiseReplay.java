package org.loranative.train.diffusion;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * Noise and timesteps from a file, for exact comparison with other trainers: tensors {@code noise}
 * f32 [batches, B, channels, height, width] (NCHW) and {@code timesteps} i64 [batches, B]. Batch n
 * of the run reads row n.
 */
final class NoiseReplay {
  private final Path file;
  private final float[] noise;
  private final long[] timesteps;
  private final List<Long> shape;

  NoiseReplay(Path file) {
    this.file = file;
    TensorFile tensors = Safetensors.read(file);
    TensorEntry noiseEntry = entry(tensors, "noise", "F32", 5);
    TensorEntry timestepEntry = entry(tensors, "timesteps", "I64", 2);
    shape = noiseEntry.shape();
    if (!timestepEntry.shape().equals(shape.subList(0, 2))) {
      throw new UserException(
          String.format(
              "noise_replay %s: timesteps %s must have the first two sides of noise %s.",
              file, timestepEntry.shape(), shape));
    }
    noise = Safetensors.floats(noiseEntry);
    ByteBuffer data = Safetensors.data(timestepEntry);
    timesteps = new long[Math.toIntExact(timestepEntry.elements())];
    data.asLongBuffer().get(timesteps);
  }

  private TensorEntry entry(TensorFile tensors, String name, String type, int sides) {
    TensorEntry entry = tensors.tensors().get(name);
    if (entry == null || !entry.type().equals(type) || entry.shape().size() != sides) {
      throw new UserException(
          String.format(
              "noise_replay %s must hold a tensor \"%s\" of %s with %d sides: noise [batches, B,"
                  + " channels, height, width], timesteps [batches, B].",
              file, name, type, sides));
    }
    return entry;
  }

  /**
   * Checks that it has rows for all batches of a run.
   *
   * @param batches that the run will read
   * @param images of the largest
   */
  void require(long batches, int images, int channels, int height, int width) {
    List<Long> sides = List.of((long) channels, (long) height, (long) width);
    boolean fits =
        shape.get(0) >= batches && shape.get(1) >= images && shape.subList(2, 5).equals(sides);
    if (!fits) {
      throw new UserException(
          String.format(
              "noise_replay %s: noise is %s, but the run needs at least [%d, %d] of %s.",
              file, shape, batches, images, sides));
    }
  }

  int timestep(int batch, int image) {
    return (int) timesteps[batch * Math.toIntExact(shape.get(1)) + image];
  }

  /** Noise of a batch [images, height·width, channels]. */
  float[] noise(int batch, int images) {
    int channels = Math.toIntExact(shape.get(2));
    int pixels = Math.toIntExact(shape.get(3) * shape.get(4));
    float[] nhwc = new float[images * pixels * channels];
    int start = Math.toIntExact(batch * shape.get(1) * channels * pixels);
    for (int i = 0; i < nhwc.length; i++) {
      int image = i / channels / pixels;
      int from = (image * channels + i % channels) * pixels + i / channels % pixels;
      nhwc[i] = noise[start + from];
    }
    return nhwc;
  }
}
