package org.loranative.train.diffusion;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.export.AdapterBase;
import org.loranative.export.AdapterSource;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Mix;
import org.loranative.model.Placement;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.model.weights.Weights;
import org.loranative.train.machine.Devices;
import org.loranative.train.machine.Machine;
import org.loranative.train.machine.Owned;

/** A diffusion model that draws images of prompts. */
public final class Pictures implements AutoCloseable {
  private final Owned owned = new Owned();
  private final DiffusionBase base;
  private final Painter painter;

  /**
   * @param mixed adapters that are applied together
   */
  public Pictures(DiffusionBase base, List<AdapterSource> mixed, Machine machine) {
    this.base = base;
    boolean opened = false;
    try {
      base.quantize(machine.quantize());
      TextReader reader = owned.add(base.family().text().reader());
      Device device = owned.add(Devices.open(machine.device(), machine.threads()));
      DType dtype = Devices.compute(machine.compute(), device);
      Mix mix = AdapterSource.mix(mixed, new AdapterBase.Diffusion(base));
      AdapterState state = owned.add(new AdapterState(device, mix.adapters(), dtype));
      state.write(AdapterState.PARAMS, mix.params());
      LoadedWeights weights =
          owned.add(
              base.weights().load(Weights.of(Painter.graphs(base, mix.adapters(), dtype)), device));
      Placement placement =
          owned.add(new Placement(device, weights, state, base.family().text().constants()));
      painter =
          new Painter(device, base, mix.adapters(), dtype, placement, reader, Optional.empty());
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /**
   * Draws one image.
   *
   * @param latents a safetensors file whose tensor "latents" [1, C, h, w] is the noise to start
   *     from
   */
  public Picture draw(Painter.Order order, Optional<Path> latents) {
    int step = base.imageStep();
    if (order.width() % step != 0 || order.height() % step != 0) {
      throw new UserException(
          String.format(
              "The image is %d x %d, but this model needs multiples of %d.",
              order.width(), order.height(), step));
    }
    int factor = base.latentFactor();
    return painter.paint(
        order, latents.map(f -> noise(f, order.height() / factor, order.width() / factor)));
  }

  /**
   * Width and height of an image where the user names none: of the latents that it starts from,
   * else of what the base was made for.
   */
  public List<Integer> size(Optional<Path> latents) {
    if (latents.isEmpty()) {
      List<Integer> made = base.imageSize();
      return List.of(made.get(1), made.get(0));
    }
    List<Long> shape = latents(latents.get()).shape();
    int factor = base.latentFactor();
    return List.of(Math.toIntExact(shape.get(3) * factor), Math.toIntExact(shape.get(2) * factor));
  }

  private TensorEntry latents(Path file) {
    TensorEntry entry = Safetensors.read(file).tensors().get("latents");
    if (entry == null || !entry.type().equals("F32") || entry.shape().size() != 4) {
      throw new UserException(
          String.format(
              "%s must hold a tensor \"latents\" of F32 [1, %d, height, width].",
              file, base.latentChannels()));
    }
    return entry;
  }

  private float[] noise(Path file, int height, int width) {
    int channels = base.latentChannels();
    TensorEntry entry = latents(file);
    List<Long> expected = List.of(1L, (long) channels, (long) height, (long) width);
    if (!entry.shape().equals(expected)) {
      throw new UserException(
          String.format(
              "%s: latents are %s, but this image needs %s.", file, entry.shape(), expected));
    }
    float[] planes = new float[channels * height * width];
    Safetensors.data(entry).asFloatBuffer().get(planes);
    float[] nhwc = new float[planes.length];
    for (int i = 0; i < nhwc.length; i++) {
      nhwc[i] = planes[i % channels * height * width + i / channels];
    }
    return nhwc;
  }

  @Override
  public void close() {
    owned.close();
  }
}
