package org.loranative.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Mix;

/**
 * An adapter's file or folder, and how much of it is wanted.
 *
 * @param scale of all of it
 * @param blocks of its blocks, beside that
 */
public record AdapterSource(Path path, double scale, BlockWeights blocks) {
  /** Of the sizes of adapters: what is left when they cancel. */
  private static final double ROUNDING = 1e-6;

  /** As much of every block. */
  public AdapterSource(Path path, double scale) {
    this(path, scale, BlockWeights.NONE);
  }

  /**
   * Adapters with their scales and the weights of their blocks, in the order of all; what is not
   * given is 1.
   *
   * @throws UserException if there are more scales or weights than adapters
   */
  public static List<AdapterSource> of(
      List<Path> adapters, List<Double> scales, List<BlockWeights> blocks) {
    if (blocks.size() > adapters.size()) {
      throw new UserException(
          "There are more --block-weights than --adapter; give each adapter one.");
    }
    if (scales.size() > adapters.size()) {
      throw new UserException("There are more --scale than --adapter; give each adapter one.");
    }
    for (double scale : scales) {
      if (!Double.isFinite(scale)) {
        throw new UserException("--scale is " + scale + ", but must be a finite number.");
      }
    }
    List<AdapterSource> sources = new ArrayList<>();
    for (int i = 0; i < adapters.size(); i++) {
      sources.add(
          new AdapterSource(
              adapters.get(i),
              i < scales.size() ? scales.get(i) : 1,
              i < blocks.size() ? blocks.get(i) : BlockWeights.NONE));
    }
    return sources;
  }

  /** Adapters of a base as one. */
  public static Mix mix(List<AdapterSource> sources, AdapterBase base) {
    return Mix.of(base.targets(), parts(sources, base));
  }

  private static List<Mix.Part> parts(List<AdapterSource> sources, AdapterBase base) {
    return sources.stream().map(source -> source.part(base)).toList();
  }

  /**
   * Adapters of a base as one, layer by layer.
   *
   * @throws UserException if there is nothing in it: they cancel, or their scales are 0
   */
  public static Map<String, AdaptedLayer> combined(List<AdapterSource> sources, AdapterBase base) {
    List<Mix.Part> parts = parts(sources, base);
    Map<String, AdaptedLayer> layers = Merge.layers(Mix.of(base.targets(), parts));
    double all = 0;
    for (int i = 0; i < parts.size(); i++) {
      all += Math.abs(sources.get(i).scale()) * norm(parts.get(i).modules());
    }
    if (norm(layers) <= ROUNDING * all) {
      throw new UserException(
          "The adapters add up to nothing: they cancel, or what they are scaled by is 0.");
    }
    return layers;
  }

  private static double norm(Map<String, AdaptedLayer> layers) {
    return Math.sqrt(
        layers.values().stream()
            .mapToDouble(m -> m.method().change(m).norm())
            .map(x -> x * x)
            .sum());
  }

  private Mix.Part part(AdapterBase base) {
    ToDoubleFunction<String> weights = base.weights(blocks);
    return new Mix.Part(base.read(path), layer -> scale * weights.applyAsDouble(layer));
  }
}
