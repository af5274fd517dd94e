package org.loranative.train.proposal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.loranative.config.Catalogue;
import org.loranative.config.Key;
import org.loranative.config.Preset.Choice;

/** A configuration as a person would write it: a line a setting, with the reason for it. */
final class SettingsFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What YAML takes for text, and for nothing else, without quotes. */
  private static final Pattern PLAIN =
      Pattern.compile(
          "(?!(?i:true|false|yes|no|on|off|null|y|n)$)([.]{0,2}/)?[A-Za-z_][A-Za-z0-9_./-]*");

  private SettingsFile() {}

  /**
   * @param head comments above the settings
   */
  static String text(List<String> head, Map<String, Choice> settings) {
    StringBuilder text = new StringBuilder();
    head.forEach(line -> text.append("# ").append(line).append('\n'));
    settings.forEach(
        (key, s) -> {
          String line = key + ": " + yaml(s.value());
          String why =
              s.why().isEmpty()
                  ? Catalogue.find(key).map(Key::plainSentence).orElseThrow()
                  : s.why();
          text.append(String.format("%-44s # %s", line, why));
          text.append('\n');
        });
    return text.toString();
  }

  static String yaml(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(SettingsFile::yaml).collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(e -> e.getKey() + ": " + yaml(e.getValue()))
          .sorted(Comparator.reverseOrder()) // the target first
          .collect(Collectors.joining(", ", "{", "}"));
    } else if (value instanceof Double number) {
      return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    } else if (value instanceof String text && !PLAIN.matcher(text).matches()) {
      return quoted(text);
    }
    return String.valueOf(value);
  }

  /** JSON's way is one of YAML's. */
  private static String quoted(String text) {
    try {
      return JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
