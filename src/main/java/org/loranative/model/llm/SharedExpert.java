package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.CombineRows;
import org.loranative.graph.ops.Routed;
import org.loranative.graph.ops.SigmoidRoute;

/**
 * An expert that sees every token and counts by the sigmoid of one number of it (Qwen2-MoE): {@code
 * σ(gate x) mlp(x)}. That is a mixture of one, whose router is {@code gate}.
 */
record SharedExpert(GatedMlp mlp) implements FeedForward {
  private static final SigmoidRoute.Setting ALONE = new SigmoidRoute.Setting(1, 1, false, 1);

  private String gate() {
    return mlp.path() + "_gate";
  }

  @Override
  public List<Projection> linears(long hidden) {
    List<Projection> linears = new ArrayList<>(mlp.linears(hidden));
    linears.add(new Projection(gate(), hidden, 1));
    return linears;
  }

  @Override
  public Value apply(LayerNet at, Value x) {
    Graph g = at.graph();
    Value logit = at.linear(gate(), x);
    Routed all = SigmoidRoute.of(g, logit, Optional.empty(), 1, ALONE); // rows stay in their order
    return CombineRows.of(g, mlp.apply(at, x), all);
  }
}
