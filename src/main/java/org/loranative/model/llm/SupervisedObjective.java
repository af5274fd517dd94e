package org.loranative.model.llm;

import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.ops.LinearCrossEntropy;
import org.loranative.model.Objective;

/** Learning to say what the data says: the cross-entropy of labelled tokens. */
public final class SupervisedObjective implements Objective<LlmGraph.Head> {
  @Override
  public void append(Graph g, LlmGraph.Head head, boolean withGradient) {
    LinearCrossEntropy.of(
        g, head.h(), head.w(), head.trained(), head.labels(), head.softcap(), withGradient);
  }

  @Override
  public List<String> metrics() {
    return List.of(LinearCrossEntropy.ACCURACY);
  }
}
