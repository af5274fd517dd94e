package org.loranative.model.llm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.CombineRows;
import org.loranative.graph.ops.ExpertLinear;
import org.loranative.graph.ops.GatherRows;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.PackedGlu;
import org.loranative.graph.ops.Route;

/**
 * A mixture of experts, each a gated MLP (Shazeer et al. 2017): a token goes to the few that its
 * router names, and what they say is added by the router's weights. Router and experts are frozen;
 * gradients pass through both. No token is dropped, so the rows of all experts together are always
 * tokens times {@code chosen}.
 *
 * @param experts E, of which {@code chosen} see a token
 * @param width F, of an expert
 * @param normalize whether the weights of a token's experts are divided by their sum
 */
record MixtureMlp(Act act, int experts, int chosen, int width, boolean normalize)
    implements FeedForward {
  static final String ROUTER = "mlp.gate.weight";

  /** Gate and up as one, [E, 2 F, C], where a file has them so. */
  static final String GATE_UP = "mlp.experts.gate_up_proj.weight";

  static final String GATE = "mlp.experts.gate_proj.weight";
  static final String UP = "mlp.experts.up_proj.weight";
  static final String DOWN = "mlp.experts.down_proj.weight";

  /** None that an adapter could be put on. */
  @Override
  public List<Projection> linears(long hidden) {
    return List.of();
  }

  /**
   * Shapes of the experts' matrices.
   *
   * @param together whether gate and up are one
   */
  Map<String, Shape> matrices(long hidden, boolean together) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    if (together) {
      shapes.put(GATE_UP, Shape.of(experts, 2L * width, hidden));
    } else {
      shapes.put(GATE, Shape.of(experts, width, hidden));
      shapes.put(UP, Shape.of(experts, width, hidden));
    }
    shapes.put(DOWN, Shape.of(experts, hidden, width));
    return shapes;
  }

  @Override
  public Value apply(LayerNet at, Value x) {
    Graph g = at.graph();
    Value router = at.net().table(at.path() + ROUTER);
    Value logits = Linear.of(g, at.path() + "mlp.gate", x, router, Optional.empty(), x.dtype());
    Route route = Route.of(g, logits, chosen, normalize);
    Value rows = GatherRows.of(g, x, route);
    Value y;
    if (at.net().weights().has(at.path() + GATE_UP)) {
      y = PackedGlu.of(g, product(at, GATE_UP, rows, route), true, act);
    } else {
      Value gate = product(at, GATE, rows, route);
      y = Glu.of(g, gate, product(at, UP, rows, route), act);
    }
    return CombineRows.of(g, product(at, DOWN, y, route), route);
  }

  private static Value product(LayerNet at, String name, Value rows, Route route) {
    return ExpertLinear.of(
        at.graph(), at.path() + name, rows, at.net().matrix(at.path() + name), route);
  }
}
