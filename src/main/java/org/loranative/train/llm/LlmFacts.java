package org.loranative.train.llm;

import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.data.llm.Sample;

/** What training on texts should know of them. */
final class LlmFacts {
  private LlmFacts() {}

  /**
   * {@code data/labelled_share} of all tokens; {@code data/duplicates}, training records that are
   * there already; {@code data/validation_leak}, validation records that are trained on; {@code
   * data/label_entropy}, of the learnt tokens' frequencies in nats: the loss of a model that knows
   * them and reads nothing; {@code vocab_size}.
   */
  static Map<String, Object> of(List<Sample> samples, List<Sample> held, int vocab) {
    long tokens = 0;
    Map<Integer, Long> labels = new HashMap<>();
    Set<IntBuffer> seen = new HashSet<>();
    int duplicates = 0;
    for (Sample s : samples) {
      tokens += s.length();
      for (int label : s.labels()) {
        if (label >= 0) {
          labels.merge(label, 1L, Long::sum);
        }
      }
      duplicates += seen.add(IntBuffer.wrap(s.ids())) ? 0 : 1;
    }
    long labelled = labels.values().stream().mapToLong(Long::longValue).sum();
    double entropy = 0;
    for (long n : labels.values()) {
      double p = (double) n / labelled;
      entropy -= p * Math.log(p);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("data/records", samples.size());
    facts.put("data/labelled_share", (double) labelled / Math.max(1, tokens));
    facts.put("data/label_entropy", entropy);
    facts.put("data/duplicates", duplicates);
    facts.put("data/validation_records", held.size());
    long leaking = held.stream().filter(s -> seen.contains(IntBuffer.wrap(s.ids()))).count();
    facts.put("data/validation_leak", leaking);
    facts.put("vocab_size", vocab);
    return facts;
  }
}
