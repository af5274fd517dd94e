package org.loranative.model.diffusion.dit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
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
    String attention = path + ".attn";
    List<String> paths = new ArrayList<>(List.of(path + ".proj_mlp"));
    paths.addAll(Heads.projections(attention));
    List<Supplier<Value>> layers = net.readers(n, paths);
    Value wide = Activation.of(g, layers.get(0).get(), Act.GELU_TANH);
    List<Value> qkv = layers.subList(1, 4).stream().map(Supplier::get).toList();
    Value o = heads.attendSelf(net, attention, qkv, tokens);
    return m.add(x, net.linear(path + ".proj_out", Split.join(g, List.of(o, wide))), 0);
  }
}
