package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.PatternSyntaxException;
import org.loranative.UserException;

/** {@code rank_pattern} and {@code alpha_pattern} of PEFT's configurations. */
final class PeftPatterns {
  private PeftPatterns() {}

  /**
   * What a layer's number is, as PEFT's {@code get_pattern_key} finds it: the first pattern counts
   * that is the layer's path or the end of it, from a dot on.
   *
   * @param file where {@code config} stands, for messages
   * @param patterns the key of the patterns
   * @param otherwise the number of a layer that no pattern names
   */
  static double number(Path file, JsonNode config, String patterns, String path, double otherwise) {
    for (Map.Entry<String, JsonNode> p : config.path(patterns).properties()) {
      // transformers 5 calls a text model's layers without this, diffusers with it.
      String pattern = p.getKey().replaceFirst("^text_model\\.", "");
      try {
        if (path.matches("(?:.*\\.)?(?:" + pattern + ")")) {
          return p.getValue().asDouble();
        }
      } catch (PatternSyntaxException e) {
        throw new UserException(
            String.format(
                "%s: %s has the key \"%s\", which is not a regular expression.",
                file, patterns, p.getKey()),
            e);
      }
    }
    return otherwise;
  }
}
