package org.loranative.train.llm;

import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.loranative.data.llm.Example;
import org.loranative.track.DataFacts;

/** What training on texts should know of them. */
final class LlmFacts {
  private static final Pattern PASSED_OVER = Pattern.compile("[\\s\\p{P}\\p{Z}]+");

  private LlmFacts() {}

  /**
   * {@code data/labelled_share} of all tokens; {@code data/duplicates}, training records that are
   * there already; {@code data/near_duplicates}, others that are there but for case, spaces and
   * punctuation; {@code data/validation_leak}, validation records that are trained on, and {@code
   * data/near_validation_leak}, others that are but for the same; {@code data/label_entropy}, of
   * the learnt tokens' frequencies in nats: the loss of a model that knows them and reads nothing;
   * {@code vocab_size}.
   *
   * @param text of tokens
   */
  static Map<String, Object> of(
      List<Example> examples, List<Example> held, int vocab, Function<int[], String> text) {
    long tokens = 0;
    Map<Integer, Long> labels = new HashMap<>();
    Set<IntBuffer> seen = new HashSet<>();
    Set<String> alike = new HashSet<>();
    int duplicates = 0;
    int near = 0;
    for (Example s : examples) {
      tokens += s.length();
      for (int label : s.labels()) {
        if (label >= 0) {
          labels.merge(label, 1L, Long::sum);
        }
      }
      boolean isNew = seen.add(IntBuffer.wrap(s.ids()));
      duplicates += isNew ? 0 : 1;
      near += alike.add(normalized(text.apply(s.ids()))) || !isNew ? 0 : 1;
    }
    long labelled = labels.values().stream().mapToLong(Long::longValue).sum();
    double entropy = 0;
    for (long n : labels.values()) {
      double p = (double) n / labelled;
      entropy -= p * Math.log(p);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(DataFacts.RECORDS, examples.size());
    facts.put(DataFacts.LABELLED_SHARE, (double) labelled / Math.max(1, tokens));
    facts.put(DataFacts.LABEL_ENTROPY, entropy);
    facts.put(DataFacts.DUPLICATES, duplicates);
    facts.put(DataFacts.NEAR_DUPLICATES, near);
    facts.put(DataFacts.VALIDATION_RECORDS, held.size());
    long leaking = held.stream().filter(s -> seen.contains(IntBuffer.wrap(s.ids()))).count();
    facts.put(DataFacts.VALIDATION_LEAK, leaking);
    long all = held.stream().filter(s -> alike.contains(normalized(text.apply(s.ids())))).count();
    facts.put(DataFacts.NEAR_VALIDATION_LEAK, all - leaking);
    facts.put("vocab_size", vocab);
    return facts;
  }

  private static String normalized(String text) {
    return PASSED_OVER.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
  }
}
