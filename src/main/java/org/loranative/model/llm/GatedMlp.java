package org.loranative.model.llm;

import java.util.List;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.PackedGlu;

/**
 * SwiGLU and its like (Shazeer 2020): down(act(gate x) · up x).
 *
 * @param fused whether gate and up are one projection
 * @param path of its module within the layer
 */
record GatedMlp(Act act, boolean fused, String path) implements FeedForward {
  /** Of a layer that has no other. */
  static final String ALONE = "mlp";

  @Override
  public List<Projection> linears(long hidden) {
    Projection down = new Projection(path + ".down_proj", 0, hidden);
    return fused
        ? List.of(new Projection(path + ".gate_up_proj", hidden, 0), down)
        : List.of(
            new Projection(path + ".gate_proj", hidden, 0),
            new Projection(path + ".up_proj", hidden, 0),
            down);
  }

  @Override
  public Value apply(LayerNet at, Value x) {
    Value y;
    if (fused) {
      y = PackedGlu.of(at.graph(), at.linear(path + ".gate_up_proj", x), true, act);
    } else {
      List<Value> both = at.linears(x, path + ".gate_proj", path + ".up_proj");
      y = Glu.of(at.graph(), both.get(0), both.get(1), act);
    }
    return at.linear(path + ".down_proj", y);
  }
}
