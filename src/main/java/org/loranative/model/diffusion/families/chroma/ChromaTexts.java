package org.loranative.model.diffusion.families.chroma;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.TextRows;
import org.loranative.model.diffusion.t5.T5Reader;

/** Texts as T5 reads them, and how much of their padding the transformer sees. */
record ChromaTexts(T5Reader t5) implements TextReader {
  /** An input of the transformer. */
  static final String PADDING = "padding";

  @Override
  public TextRows rows(List<String> texts) {
    return t5.rows(texts);
  }

  @Override
  public TextRows first(List<String> texts) {
    return t5.first(texts);
  }

  /** Nobody sees padding, but for its first token: so the model was trained. */
  @Override
  public Map<String, int[]> told(List<String> texts) {
    int[] hidden = Arrays.stream(t5.padding(texts)).map(n -> Math.max(0, n - 1)).toArray();
    return Map.of(PADDING, hidden);
  }

  @Override
  public OptionalInt cutAt(String text) {
    return t5.cutAt(text);
  }

  @Override
  public void close() {
    t5.close();
  }
}
