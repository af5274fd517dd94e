package org.loranative.model.diffusion.dit;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the authors' own code calls a transformer's layers, in which layers that read the same are
 * one (q, k and v). Paths are diffusers', without {@code transformer.}.
 */
public interface OriginalNames {

  /**
   * Where a layer or tensor lies.
   *
   * @param part of a larger layer's output, where it is one
   */
  record Place(String name, Optional<Part> part) {}

  /**
   * A part of a larger layer.
   *
   * @param index from 0
   * @param first of its rows
   */
  record Part(int index, long first, long rows) {}

  Optional<Place> of(String path);

  /** Layers that are parts of larger ones. */
  List<String> parts();

  /** Whether the authors' code computes something else there, so that an adapter does not fit. */
  boolean isExchanged(String path);

  /** The place of a path whose beginning has another name. */
  static Optional<Place> renamed(Map<String, String> names, String path, String before) {
    return names.entrySet().stream()
        .filter(e -> path.equals(e.getKey()) || path.startsWith(e.getKey() + "."))
        .findFirst()
        .map(
            e ->
                new Place(
                    before + e.getValue() + path.substring(e.getKey().length()), Optional.empty()));
  }
}
