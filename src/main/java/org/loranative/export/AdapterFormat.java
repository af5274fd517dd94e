package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;

/**
 * A format of adapters' files.
 *
 * @param <B> the kind of base whose adapters it holds
 */
public interface AdapterFormat<B> {
  /** In {@code --to}. */
  String name();

  /**
   * Writes an adapter.
   *
   * @param source what was read, whose metadata is kept
   * @param layers by path
   * @param out what to write; it does not exist
   */
  void write(B base, Optional<Path> source, Map<String, AdaptedLayer> layers, Path out)
      throws IOException;

  /** The one of {@code formats} that is called so. */
  static <B> AdapterFormat<B> named(String name, List<AdapterFormat<B>> formats, String of) {
    return formats.stream()
        .filter(f -> f.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new UserException(
                    String.format(
                        "--to is %s, but adapters of %s are written as %s.",
                        name,
                        of,
                        formats.stream()
                            .map(AdapterFormat::name)
                            .collect(Collectors.joining(", ")))));
  }
}
