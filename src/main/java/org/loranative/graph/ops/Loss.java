package org.loranative.graph.ops;

import org.loranative.graph.Op;
import org.loranative.graph.Value;

/** An op that a training graph ends with: backward begins at it. */
public interface Loss extends Op {
  /** Name of {@link #loss}. */
  String TOTAL = "loss";

  /** Name of {@link #losses}. */
  String EACH = "losses";

  /** What is minimized, [1] f32. It adds up over the micro-batches of a step. */
  Value loss();

  /** The loss of each row or image alone, f32, not divided by what a step has of them. */
  Value losses();

  @Override
  default boolean isLoss() {
    return true;
  }
}
