package org.loranative.model.llm;

import java.util.List;
import org.loranative.graph.Value;

/** What a layer makes of each token by itself: one kind is one class. */
interface FeedForward {

  /** Its linear layers, in the model's order, where the residual stream has C channels. */
  List<Projection> linears(long hidden);

  /** [tokens, hidden] of normed states [tokens, hidden]. */
  Value apply(LayerNet at, Value x);
}
