package org.loranative.train.diffusion;

import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.List;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;

/**
 * Noise and timesteps from a file, for exact comparison with other trainers: tensors {@code noise}
 * f32 [batches, B, channels, height, width] (NCHW) and {@code timesteps} i64 [batches, B], or of
 * flow matching {@code sigmas} f32 [batches, B]. Batch n of the run reads row n.
 */
final class NoiseReplay {
  private final Path file;
  private final float[] noise;
  private final float[] times;
  private final boolean areSigmas;
  private final List<Long> shape;

  NoiseReplay(Path file) {
    this.file = file;
    TensorFile tensors = Safetensors.read(file);
    TensorEntry noiseEntry = entry(tensors, "noise", "F32", 5);
    areSigmas = tensors.tensors().containsKey("sigmas");
    TensorEntry timeEntry =
        areSigmas ? entry(tensors, "sigmas", "F32", 2) : entry(tensors, "timesteps", "I64", 2);
    if (areSigmas && tensors.tensors().containsKey("timesteps")) {
      throw new UserException(
          "noise_replay " + file + " holds both \"sigmas\" and \"timesteps\"; leave one out.");
    }
    shape = noiseEntry.shape();
    if (!timeEntry.shape().equals(shape.subList(0, 2))) {
      throw new UserException(
          String.format(
              "noise_replay %s: %s %s must have the first two sides of noise %s.",
              file, areSigmas ? "sigmas" : "timesteps", timeEntry.shape(), shape));
    }
    noise = Safetensors.floats(noiseEntry);
    times = areSigmas ? Safetensors.floats(timeEntry) : whole(timeEntry);
    for (float time : times) {
      if (areSigmas && !(time >= 0 && time <= 1)) {
        throw new UserException(
            String.format(
                "noise_replay %s: \"sigmas\" holds %s, but σ is from 0 to 1.", file, time));
      }
    }
  }

  private static float[] whole(TensorEntry entry) {
    LongBuffer data = Safetensors.data(entry).asLongBuffer();
    float[] numbers = new float[Math.toIntExact(entry.elements())];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = data.get(i);
    }
    return numbers;
  }

  private TensorEntry entry(TensorFile tensors, String name, String type, int sides) {
    TensorEntry entry = tensors.tensors().get(name);
    if (entry == null || !entry.type().equals(type) || entry.shape().size() != sides) {
      throw new UserException(
          String.format(
              "noise_replay %s must hold a tensor \"%s\" of %s with %d sides: noise [batches, B,"
                  + " channels, height, width], timesteps or sigmas [batches, B].",
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

  double timestep(int batch, int image, NoiseProcess process) {
    float time = times[batch * Math.toIntExact(shape.get(1)) + image];
    return areSigmas ? process.timestepOfSigma(time) : time;
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
