package org.loranative.model.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.text.ClipTokenizer;

/**
 * Texts as the text encoders read them: as many rows of tokens for each text as the longest needs.
 *
 * @param perText rows of each text
 * @param inputs of {@link DiffusionGraph#texts} for all rows
 */
public record TextRows(int perText, Map<String, int[]> inputs) {

  public static TextRows of(
      DiffusionBase base, List<ClipTokenizer> tokenizers, List<String> texts) {
    int length = base.textTokens();
    int rows =
        texts.stream()
            .flatMap(t -> tokenizers.stream().map(k -> k.rows(t, length).size()))
            .max(Integer::compare)
            .orElseThrow();
    return of(base, tokenizers, texts, rows);
  }

  /** The first row of each text: what lies beyond it is cut. */
  public static TextRows first(
      DiffusionBase base, List<ClipTokenizer> tokenizers, List<String> texts) {
    return of(base, tokenizers, texts, 1);
  }

  private static TextRows of(
      DiffusionBase base, List<ClipTokenizer> tokenizers, List<String> texts, int perText) {
    int length = base.textTokens();
    Map<String, int[]> inputs = new HashMap<>();
    for (int k = 0; k < tokenizers.size(); k++) {
      String prefix = k == 0 ? DiffusionBase.TEXT : DiffusionBase.TEXT_2;
      List<int[]> all = new ArrayList<>();
      for (String text : texts) {
        List<int[]> own = new ArrayList<>(tokenizers.get(k).rows(text, length));
        while (own.size() < perText) {
          own.addAll(tokenizers.get(k).rows("", length));
        }
        all.addAll(own.subList(0, perText));
      }
      int[] flat = all.stream().flatMapToInt(Arrays::stream).toArray();
      inputs.put(prefix + "ids", flat);
      positions(prefix, flat, length, inputs);
      if (k == 1) { // the encoder whose states at the end are pooled
        inputs.put(prefix + "end_rows", ends(flat, length, tokenizers.get(k).end()));
      }
    }
    return new TextRows(perText, inputs);
  }

  private static void positions(String prefix, int[] ids, int length, Map<String, int[]> inputs) {
    int[] positions = new int[ids.length];
    int[] start = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      positions[i] = i % length;
      start[i] = i / length * length;
    }
    inputs.put(prefix + "positions", positions);
    inputs.put(prefix + "doc_start", start);
  }

  /** Where each row has its first end. */
  private static int[] ends(int[] ids, int length, int end) {
    int[] ends = new int[ids.length / length];
    for (int i = ids.length - 1; i >= 0; i--) {
      if (ids[i] == end) {
        ends[i / length] = i;
      }
    }
    return ends;
  }

  /** The pooled state of a text is that of its first row. */
  float[] firstOfEach(float[] pooled, int texts) {
    int width = pooled.length / texts / perText;
    float[] first = new float[texts * width];
    for (int i = 0; i < texts; i++) {
      System.arraycopy(pooled, i * perText * width, first, i * width, width);
    }
    return first;
  }
}
