package org.loranative.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.Mix;

/** An adapter's file or folder, and how much of it is wanted. */
public record AdapterSource(Path path, double scale) {
  /**
   * Adapters with their scales, in the order of both; a scale that is not given is 1.
   *
   * @throws UserException if there are more scales than adapters
   */
  public static List<AdapterSource> of(List<Path> adapters, List<Double> scales) {
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
      sources.add(new AdapterSource(adapters.get(i), i < scales.size() ? scales.get(i) : 1));
    }
    return sources;
  }

  /**
   * Adapters as one.
   *
   * @param targets layers of the base
   * @param reader of one, by path
   */
  public static Mix mix(
      List<AdapterSource> sources,
      List<Adapters.Target> targets,
      Function<Path, Map<String, AdaptedLayer>> reader) {
    return Mix.of(
        targets,
        sources.stream().map(s -> new Mix.Part(reader.apply(s.path()), s.scale())).toList());
  }
}
