package org.loranative.model.llm;

import java.util.List;
import org.loranative.graph.Value;

/** What a layer makes of each token by itself: one kind is one class. */
interface FeedForward {

  /** Its linear layers, in the model's order, where the residual stream has C channels. */
  List<Projection> linears(long hidden);

  /** [tokens, hidden] of normed states [tokens, hidden]. */
  Value apply(LayerNet at, Value x);

  /**
   * The same for those that also read the states before the norm.
   *
   * @param stream these states, [tokens, hidden]
   */
  default Value apply(LayerNet at, Value x, Value stream) {
    return apply(at, x);
  }
}
