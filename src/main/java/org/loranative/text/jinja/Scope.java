package org.loranative.text.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Names visible at a point; loops and macros open inner scopes. */
final class Scope {
  private final Optional<Scope> outer;
  private final Map<String, Object> names;

  Scope(Map<String, Object> globals) {
    this.outer = Optional.empty();
    this.names = globals;
  }

  Scope(Scope outer) {
    this.outer = Optional.of(outer);
    this.names = new HashMap<>();
  }

  Object get(String name) {
    Object value = names.get(name);
    if (value != null) {
      return value;
    }
    return outer.map(o -> o.get(name)).orElse(None.UNDEFINED);
  }

  void set(String name, Object value) {
    names.put(name, value);
  }
}
