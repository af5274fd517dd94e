package org.loranative.model.diffusion;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Mse;
import org.loranative.io.DType;
import org.loranative.model.Objective;

/**
 * Learning to predict noise, or velocity: a distance between prediction and target.
 *
 * @param huber c of the pseudo-Huber distance, 0 for the squared
 * @param masked whether an input {@link #MASK} says how much each place of an image counts
 */
public record DenoisingObjective(float huber, boolean masked)
    implements Objective<DenoisingObjective.Pair> {
  /** [images·height·width] f32, what each distance is multiplied by. */
  public static final String MASK = "mask";

  /**
   * A prediction [images·height·width, channels], what it should be, and each image's weight
   * [images].
   */
  public record Pair(Value prediction, Value target, Value weights) {}

  /** Of whole images. */
  public DenoisingObjective(float huber) {
    this(huber, false);
  }

  @Override
  public void append(Graph g, Pair pair, boolean withGradient) {
    Optional<Value> mask =
        masked
            ? Optional.of(g.input(MASK, DType.F32, pair.prediction().shape().rows()))
            : Optional.empty();
    Mse.of(g, pair.prediction(), pair.target(), pair.weights(), mask, huber, withGradient);
  }

  @Override
  public List<String> metrics() {
    return List.of();
  }
}
