package org.loranative.model.diffusion.families.zimage;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.GatedAdd;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.Split;
import org.loranative.model.Net;
import org.loranative.model.diffusion.dit.Heads;

/** A block of attention and gated feed-forward between norms (ZImageTransformerBlock). */
record ZImageBlock(Net net, Heads heads, String path, float eps) {
  /** What a timestep makes of a branch: what its norm is multiplied by beside 1, and its gate. */
  private record Branch(Value scale, Value gate) {}

  /**
   * @param x [B·N, C]
   * @param tokens N
   * @param time the timestep's embedding [B, E], where it changes the block
   */
  Value run(Value x, long tokens, Optional<Value> time) {
    Optional<List<Branch>> by = time.map(this::branches);
    Value n = scaled(net.norm(path + ".attention_norm1", x, Optional.empty(), eps).y(), by, 0);
    String attention = path + ".attention";
    Value o = net.linear(attention + ".to_out.0", heads.attendSelf(net, attention, n, tokens));
    Value h = added(x, net.norm(path + ".attention_norm2", o, Optional.empty(), eps).y(), by, 0);
    n = scaled(net.norm(path + ".ffn_norm1", h, Optional.empty(), eps).y(), by, 1);
    String forward = path + ".feed_forward";
    List<Value> both = net.linears(n, List.of(forward + ".w1", forward + ".w3"));
    Value gated = Glu.of(g(), both.get(0), both.get(1), Act.SILU);
    Value f = net.linear(forward + ".w2", gated);
    return added(h, net.norm(path + ".ffn_norm2", f, Optional.empty(), eps).y(), by, 1);
  }

  private Graph g() {
    return net.graph();
  }

  private List<Branch> branches(Value time) {
    Value all = net.linear(path + ".adaLN_modulation.0", time);
    long width = all.shape().last() / 4;
    List<Value> halves = Split.of(g(), all, 2 * width, 2 * width);
    return halves.stream().map(half -> branch(half, width)).toList();
  }

  private Branch branch(Value half, long width) {
    List<Value> parts = Split.of(g(), half, width, width);
    return new Branch(parts.get(0), Activation.of(g(), parts.get(1), Act.TANH));
  }

  private Value scaled(Value x, Optional<List<Branch>> by, int branch) {
    return by.map(b -> GatedAdd.of(g(), path + ".scaled", x, x, b.get(branch).scale())).orElse(x);
  }

  private Value added(Value x, Value branch, Optional<List<Branch>> by, int index) {
    return by.map(b -> GatedAdd.of(g(), path + ".add", x, branch, b.get(index).gate()))
        .orElseGet(() -> Add.of(g(), x, branch));
  }
}
