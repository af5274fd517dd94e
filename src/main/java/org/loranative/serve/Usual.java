package org.loranative.serve;

import java.util.List;
import java.util.Optional;
import org.loranative.model.llm.Sampling;

/**
 * How is answered where a request does not say.
 *
 * @param maxTokens absent for what the context has room for
 */
public record Usual(Optional<Integer> maxTokens, Sampling sampling, List<String> stops) {
  public Usual {
    stops = List.copyOf(stops);
  }
}
