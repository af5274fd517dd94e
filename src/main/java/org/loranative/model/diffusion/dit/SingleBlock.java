package org.loranative.model.diffusion.dit;

import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Split;
import org.loranative.model.Net;

/**
 * A block in which tokens of image and text share all weights, attention and feed-forward side by
 * side (Dehghani et al. 2023; diffusers' FluxSingleTransformerBlock).
 */
public record SingleBlock(Net net, Heads heads, String path) {

  /**
   * @param x [B·(N + T), C]
   * @param tokens N + T
   * @param m three parts
   */
  public Value run(Value x, long tokens, Modulation m) {
    Graph g = net.graph();
    Value n = m.norm(x, 0);
    Value wide = Activation.of(g, net.linear(path + ".proj_mlp", n), Act.GELU_TANH);
    Value o = heads.attendSelf(net, path + ".attn", n, tokens);
    return m.add(x, net.linear(path + ".proj_out", Split.join(g, List.of(o, wide))), 0);
  }
}
