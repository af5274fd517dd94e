package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.Split;

/**
 * Attention whose answer is gated: q_proj gives each head its query and, behind it, as many gates
 * (Qiu et al. 2025).
 */
record GatedAttention(SelfAttention attention) implements Mixer {

  @Override
  public List<Projection> linears(long hidden) {
    List<Projection> all = new ArrayList<>();
    for (Projection p : attention.linears(hidden)) {
      all.add(
          p.name().equals(SelfAttention.QUERY) ? new Projection(p.name(), p.in(), 2 * p.out()) : p);
    }
    return all;
  }

  @Override
  public boolean rotatesLocally() {
    return attention.rotatesLocally();
  }

  @Override
  public Value mix(LayerNet at, Value x) {
    Graph g = at.graph();
    List<Value> qkv = at.linears(x, SelfAttention.QUERY, SelfAttention.KEY, SelfAttention.VALUE);
    Value queries = qkv.get(0);
    long width = queries.shape().last() / 2;
    List<Value> parts = Split.ofGroups(g, queries, attention.heads(), width, width);
    Value o = attention.attend(at, parts.get(0), qkv.get(1), qkv.get(2));
    return at.linear(SelfAttention.OUTPUT, Glu.of(g, parts.get(1), o, Act.SIGMOID));
  }
}
