package org.loranative.model.llm;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.CombineRows;
import org.loranative.graph.ops.GatherRows;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.PackedGlu;
import org.loranative.graph.ops.Routed;

/**
 * A mixture of experts, each a gated MLP (Shazeer et al. 2017): a token goes to the few that its
 * router names, and what they say is added by the router's weights. The router is frozen; gradients
 * pass through it. No token is dropped, so the rows of all experts together are always tokens times
 * {@code chosen}.
 *
 * @param experts E
 * @param width F, of an expert
 * @param shared an expert that sees every token
 */
record MixtureMlp(Act act, int experts, int width, Router router, Optional<FeedForward> shared)
    implements FeedForward {
  static final String ROUTER = "mlp.gate";

  /** Gate and up as one, [E, 2 F, C]. */
  static final String GATE_UP = "mlp.experts.gate_up_proj";

  /** Apart, [E, F, C] each, where a file has them so. */
  static final String GATE = "mlp.experts.gate_proj";

  static final String UP = "mlp.experts.up_proj";
  static final String DOWN = "mlp.experts.down_proj";

  /** Those of the shared expert; the others' are another kind of layer. */
  @Override
  public List<Projection> linears(long hidden) {
    return shared.map(s -> s.linears(hidden)).orElse(List.of());
  }

  @Override
  public Value apply(LayerNet at, Value x) {
    Graph g = at.graph();
    Value weight = at.net().table(at.path() + ROUTER + ".weight");
    Value logits = Linear.of(g, at.path() + ROUTER, x, weight, Optional.empty(), x.dtype());
    Routed route = router.choose(at, at.path() + ROUTER, logits);
    Value rows = GatherRows.of(g, x, route);
    Value y;
    if (areTogether(at)) {
      y = PackedGlu.of(g, product(at, GATE_UP, rows, route), true, act);
    } else {
      Value gate = product(at, GATE, rows, route);
      y = Glu.of(g, gate, product(at, UP, rows, route), act);
    }
    Value sum = CombineRows.of(g, product(at, DOWN, y, route), route);
    return shared.map(s -> Add.of(g, sum, s.apply(at, x))).orElse(sum);
  }

  /** Halves of a file stay where they lie but for an adapter, which changes both at once. */
  private static boolean areTogether(LayerNet at) {
    return at.net().adapters().find(at.path() + GATE_UP).isPresent()
        || !at.net().weights().has(at.path() + GATE + ".weight");
  }

  private static Value product(LayerNet at, String name, Value rows, Routed route) {
    return at.net().experts(at.path() + name, rows, route);
  }
}
