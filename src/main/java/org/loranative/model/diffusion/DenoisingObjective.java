package org.loranative.model.diffusion;

import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Mse;
import org.loranative.model.Objective;

/**
 * Learning to predict noise, or velocity: a distance between prediction and target.
 *
 * @param huber c of the pseudo-Huber distance, 0 for the squared
 */
public record DenoisingObjective(float huber) implements Objective<DenoisingObjective.Pair> {
  /**
   * A prediction [images·height·width, channels], what it should be, and each image's weight
   * [images].
   */
  public record Pair(Value prediction, Value target, Value weights) {}

  @Override
  public void append(Graph g, Pair pair, boolean withGradient) {
    Mse.of(g, pair.prediction(), pair.target(), pair.weights(), huber, withGradient);
  }

  @Override
  public List<String> metrics() {
    return List.of();
  }
}
