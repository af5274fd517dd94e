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

  /** How names of its files end; empty for a folder. */
  Optional<String> ending();

  /**
   * Refuses a name that other programs would take for something else.
   *
   * @param out what is to be written
   */
  default void requireName(Path out) {
    String file = out.getFileName().toString();
    boolean fits =
        ending()
            .map(file::endsWith)
            .orElse(!file.endsWith(".safetensors") && !file.endsWith(".gguf"));
    if (!fits) {
      throw new UserException(
          String.format(
              "%s writes %s, so --out must not be called %s.",
              name(), ending().map(e -> "a file that ends in " + e).orElse("a folder"), out));
    }
  }

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
