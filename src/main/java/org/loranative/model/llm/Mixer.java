package org.loranative.model.llm;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/** How the tokens of a layer read one another: one kind is one class. */
interface Mixer {

  /** Its linear layers, in the model's order, where the residual stream has C channels. */
  List<Projection> linears(long hidden);

  /** Its tensors beside linear layers and norms that every family has, as files hold them. */
  default Map<String, Shape> others() {
    return Map.of();
  }

  /** Constants that it names in a graph, the same in each of its layers. */
  default Map<String, float[]> constants() {
    return Map.of();
  }

  /** Whether it reads what came before out of a state, which cannot go back to an earlier token. */
  default boolean isRecurrent() {
    return false;
  }

  /** Whether it rotates with the local frequencies. */
  boolean rotatesLocally();

  /** The mixed states [tokens, hidden] of normed ones [tokens, hidden]. */
  Value mix(LayerNet at, Value x);
}
