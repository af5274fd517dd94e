package org.loranative.train.tuning;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;

/** A user's configuration with some settings changed; the other lines stay, comments too. */
final class TunedYaml {
  private static final Pattern KEY = Pattern.compile("([A-Za-z_]\\w*)\\s*:.*");

  private TunedYaml() {}

  /**
   * @param file the user's; may be none
   * @param overrides of it, {@code key=value}
   * @param found settings and the reason for each, by key
   */
  static String of(Optional<Path> file, List<String> overrides, Map<String, Found> found)
      throws IOException {
    Map<String, String> lines = new LinkedHashMap<>();
    for (String override : overrides) {
      int equals = override.indexOf('=');
      String key = override.substring(0, equals).strip();
      lines.put(key, key + ": " + override.substring(equals + 1));
    }
    found.forEach(
        (key, f) -> lines.put(key, String.format("%-30s # %s", key + ": " + f.value(), f.why())));
    List<String> text = file.isPresent() ? Files.readAllLines(file.get()) : List.of();
    List<String> all = new ArrayList<>();
    boolean replaced = false;
    for (String line : text) {
      Matcher key = KEY.matcher(line);
      if (key.matches()) {
        String other = lines.remove(key.group(1));
        replaced = other != null;
        all.add(replaced ? other : line);
      } else {
        replaced &= !line.isBlank() && !line.startsWith("#"); // else more of the old value
        if (!replaced) {
          all.add(line);
        }
      }
    }
    all.addAll(lines.values());
    return String.join("\n", all) + "\n";
  }

  /** A setting's value as YAML writes it, and the reason for it. */
  record Found(String value, String why) {}

  /** Whether a file says what {@code config} says. */
  static boolean says(Path file, TrainConfig config) {
    return ConfigReader.read(Optional.of(file), List.of()).equals(config);
  }
}
