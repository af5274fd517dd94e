package org.loranative.model;

import java.util.List;
import org.loranative.graph.Graph;

/**
 * What a run minimizes: the end of its training graph. A kind of training has an interface of its
 * own that says what it ends with; each of its losses is a class.
 *
 * @param <E> the end of the model's graph that it reads
 */
public interface Objective<E> {
  /** Appends the loss, and what else it tells, as results. */
  void append(Graph g, E end, boolean withGradient);

  /**
   * Names of its further results. Each is [1] f32 and adds up over the micro-batches of a step, as
   * the loss does.
   */
  List<String> metrics();
}
