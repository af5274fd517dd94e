package org.loranative.config;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.loranative.Decimals;

/** What a setting is where nobody names it, for each task. */
record Default(Value llm, Value sd) {
  /**
   * @param of the value, by the values of the keys before it in the catalogue
   * @param shown to people
   */
  record Value(Function<Map<String, Object>, Object> of, String shown) {
    static Value fixed(Object value) {
      return new Value(earlier -> value, text(value));
    }
  }

  static Default of(Object value) {
    return new Default(Value.fixed(value), Value.fixed(value));
  }

  /** A value that follows from keys before it. */
  static Default derived(Function<Map<String, Object>, Object> of, String shown) {
    return new Default(new Value(of, shown), new Value(of, shown));
  }

  /** Another value for images. */
  Default images(Object value) {
    return new Default(llm, Value.fixed(value));
  }

  /** The same value, which means something that words say better. */
  Default shown(String words) {
    return new Default(new Value(llm.of, words), new Value(sd.of, words));
  }

  Value by(TaskType task) {
    return task == TaskType.SD ? sd : llm;
  }

  /** A value as it stands in YAML. */
  static String text(Object value) {
    if (value instanceof Double number) {
      return Decimals.brief(number);
    }
    if (value instanceof List<?> list) {
      return list.stream()
          .map(e -> e instanceof LoraTarget t ? t.target() : String.valueOf(e))
          .toList()
          .toString();
    }
    String text = String.valueOf(value);
    return text.startsWith("#") ? '"' + text + '"' : text;
  }
}
