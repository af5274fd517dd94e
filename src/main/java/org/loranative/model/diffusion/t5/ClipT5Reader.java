package org.loranative.model.diffusion.t5;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.TextRows;
import org.loranative.model.diffusion.clip.ClipReader;
import org.loranative.model.diffusion.clip.TokenizerPlace;

/** A text as one or more CLIPs read its beginning and T5, where there is one, more of it. */
public record ClipT5Reader(ClipReader clip, Optional<T5Reader> t5) implements TextReader {

  public static ClipT5Reader open(
      Map<String, TokenizerPlace> clips, Set<String> pooled, Optional<T5Place> t5) {
    ClipReader clip = new ClipReader(clips, pooled);
    boolean opened = false;
    try {
      ClipT5Reader reader = new ClipT5Reader(clip, t5.map(T5Place::open));
      opened = true;
      return reader;
    } finally {
      if (!opened) {
        clip.close();
      }
    }
  }

  /** One row each: a longer text is T5's alone, as in diffusers. */
  @Override
  public TextRows rows(List<String> texts) {
    return first(texts);
  }

  @Override
  public TextRows first(List<String> texts) {
    Map<String, int[]> inputs = new LinkedHashMap<>(clip.first(texts).inputs());
    t5.ifPresent(t -> inputs.putAll(t.first(texts).inputs()));
    return new TextRows(1, inputs);
  }

  @Override
  public OptionalInt cutAt(String text) {
    return t5.isPresent() ? t5.get().cutAt(text) : clip.cutAt(text);
  }

  @Override
  public void close() {
    clip.close();
    t5.ifPresent(T5Reader::close);
  }
}
