package org.loranative.text;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The chat template that an adapter's folder holds: the one that it was trained with, which need
 * not be its base's.
 */
public record AdapterTemplate(Path adapter, String jinja) {
  private static final Logger log = LoggerFactory.getLogger(AdapterTemplate.class);

  /** Of a PEFT folder; single files have none. */
  public static Optional<AdapterTemplate> of(Path adapter) {
    return Files.isDirectory(adapter)
        ? Tokenizers.template(adapter).map(jinja -> new AdapterTemplate(adapter, jinja))
        : Optional.empty();
  }

  /** Of several that are applied together, the first one's. */
  public static Optional<AdapterTemplate> of(List<Path> adapters) {
    Optional<AdapterTemplate> first = adapters.stream().findFirst().flatMap(AdapterTemplate::of);
    for (Path other : adapters) {
      Optional<AdapterTemplate> its = of(other);
      if (its.isPresent()
          && !its.map(AdapterTemplate::jinja).equals(first.map(AdapterTemplate::jinja))) {
        log.warn(
            "{} was trained with another chat template than {}, whose own is taken.",
            other,
            adapters.get(0));
      }
    }
    return first;
  }

  /** Lets the base's tokenizer render with it. */
  public void give(Tokenizer tokenizer) {
    tokenizer.setChatTemplate(adapter.toString(), jinja);
  }

  /** Likewise; says so, and returns true, where it is not the base's own. */
  public boolean giveAloud(Tokenizer tokenizer, Path base) {
    give(tokenizer);
    if (tokenizer.hasOtherTemplate()) {
      log.info("chat template: the one of {}, instead of {}'s", adapter, base);
    }
    return tokenizer.hasOtherTemplate();
  }
}
