package org.loranative.model.llm;

import java.util.List;
import org.loranative.graph.Value;

/** How the tokens of a layer read one another: one kind is one class. */
interface Mixer {

  /** Its linear layers, in the model's order, where the residual stream has C channels. */
  List<Projection> linears(long hidden);

  /** Whether it rotates with the local frequencies. */
  boolean rotatesLocally();

  /** The mixed states [tokens, hidden] of normed ones [tokens, hidden]. */
  Value mix(LayerNet at, Value x);
}
