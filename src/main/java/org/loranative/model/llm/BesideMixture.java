package org.loranative.model.llm;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Affine;
import org.loranative.graph.ops.RmsNorm;

/**
 * A dense MLP and a mixture side by side (Gemma 4's 26B-A4B). Each has norms of its own; the
 * mixture and its router read the stream as it was before the dense one's norm.
 */
record BesideMixture(GatedMlp dense, MixtureMlp mixture) implements FeedForward {
  /** Of the mixture. */
  static final MixtureMlp.Names NAMES = new MixtureMlp.Names("router.proj", "experts");

  /** Numbers of experts, by GGUF's name; transformers' is {@code router.per_expert_scale}. */
  static final String SCALES = "experts.down_proj.scale";

  private static final String BEHIND_DENSE = "post_feedforward_layernorm_1";
  private static final String BEFORE_EXPERTS = "pre_feedforward_layernorm_2";
  private static final String BEHIND_EXPERTS = "post_feedforward_layernorm_2";
  private static final String ROUTER_SCALE = "router.scale";

  @Override
  public List<Projection> linears(long hidden) {
    return dense.linears(hidden);
  }

  @Override
  public Value apply(LayerNet at, Value x) {
    return apply(at, x, x);
  }

  @Override
  public Value apply(LayerNet at, Value x, Value stream) {
    Value one = at.norm(BEHIND_DENSE, dense.apply(at, x));
    Value rows = at.norm(BEFORE_EXPERTS, stream);
    Value two = at.norm(BEHIND_EXPERTS, mixture.routedBy(at, told(at, stream), rows));
    return Add.of(at.graph(), one, two);
  }

  /** What the router reads: normed, by a weight that is divided by √C. */
  private static Value told(LayerNet at, Value stream) {
    Graph g = at.graph();
    String path = at.path() + ROUTER_SCALE;
    Value weight = at.net().vector(path);
    Value normed = RmsNorm.of(g, path, stream, Optional.empty(), weight, at.normEps()).y();
    return Affine.of(g, normed, (float) (1 / Math.sqrt(stream.shape().last())), 0);
  }
}
