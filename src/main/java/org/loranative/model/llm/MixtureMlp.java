package org.loranative.model.llm;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.CombineRows;
import org.loranative.graph.ops.GatherRows;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.Routed;

/**
 * A mixture of experts, each a gated MLP (Shazeer et al. 2017), with biases if the file has some: a
 * token goes to the few that its router names, and what they say is added by the router's weights.
 * The router is frozen; gradients pass through it. No token is dropped, so the rows of all experts
 * together are always tokens times {@code chosen}.
 *
 * @param unit of its experts
 * @param names of its modules
 * @param experts E
 * @param width F, of an expert
 * @param shared an expert that sees every token
 */
record MixtureMlp(
    GatedUnit unit,
    Names names,
    int experts,
    int width,
    Router router,
    Optional<FeedForward> shared)
    implements FeedForward {
  /** Gate and up as one, at the end of its name. */
  static final String TOGETHER = ".gate_up_proj";

  /** Apart. */
  static final List<String> HALVES = List.of(".gate_proj", ".up_proj");

  /**
   * Modules of a mixture, within a layer.
   *
   * @param experts the module of all
   */
  record Names(String router, String experts) {
    /** Of most families. */
    static final Names USUAL = new Names("mlp.gate", "mlp.experts");

    /** Gate and up as one, [E, 2 F, C]: one behind the other, or in turn. */
    String gateUp() {
      return experts + TOGETHER;
    }

    /** Apart, [E, F, C] each, where a file has them so. */
    String gate() {
      return experts + HALVES.get(0);
    }

    String up() {
      return experts + HALVES.get(1);
    }

    String down() {
      return experts + ".down_proj";
    }
  }

  /** Those of the shared expert; the others' are another kind of layer. */
  @Override
  public List<Projection> linears(long hidden) {
    return shared.map(s -> s.linears(hidden)).orElse(List.of());
  }

  @Override
  public Value apply(LayerNet at, Value x) {
    return routedBy(at, x, x);
  }

  /**
   * Likewise where the router reads something else.
   *
   * @param told what it reads, [tokens, hidden]
   */
  Value routedBy(LayerNet at, Value told, Value x) {
    Graph g = at.graph();
    String path = at.path() + names.router();
    Value weight = at.net().table(path + ".weight");
    Value logits = Linear.of(g, path, told, weight, at.net().bias(path), x.dtype());
    Routed route = router.choose(at, path, logits);
    Value rows = GatherRows.of(g, x, route);
    Value y;
    if (areTogether(at)) {
      y = unit.ofBoth(g, product(at, names.gateUp(), rows, route));
    } else {
      Value gate = product(at, names.gate(), rows, route);
      y = unit.of(g, gate, product(at, names.up(), rows, route));
    }
    Value sum = CombineRows.of(g, product(at, names.down(), y, route), route);
    return shared.map(s -> Add.of(g, sum, s.apply(at, x))).orElse(sum);
  }

  /** Halves of a file stay where they lie but for an adapter, which changes both at once. */
  private boolean areTogether(LayerNet at) {
    return at.net().adapters().find(at.path() + names.gateUp()).isPresent()
        || !at.net().weights().has(at.path() + names.gate() + ".weight");
  }

  private static Value product(LayerNet at, String name, Value rows, Routed route) {
    return at.net().experts(at.path() + name, rows, route);
  }
}
