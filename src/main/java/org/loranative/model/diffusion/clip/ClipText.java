package org.loranative.model.diffusion.clip;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Activation;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.Embedding;
import org.loranative.io.DType;
import org.loranative.model.Net;

/**
 * CLIP's text encoder (Radford et al. 2021): a causal transformer with learnt positions over rows
 * of always the same length.
 */
public final class ClipText {
  private final ClipConfig c;
  private final String prefix;
  private final Net net;
  private final Graph g;

  /**
   * @param prefix of its weights: {@code text_encoder.}
   */
  public ClipText(ClipConfig config, String prefix, Net net) {
    this.c = config;
    this.prefix = prefix;
    this.net = net;
    this.g = net.graph();
  }

  /**
   * The states before the first layer and after each of the first {@code layers}, each
   * [texts·positions, hidden].
   *
   * <p>Inputs: ids, positions and doc_start, each [texts·positions] i32, under the prefix.
   */
  public List<Value> states(int texts, int layers) {
    long tokens = (long) texts * c.positions();
    Value ids = g.input(prefix + "ids", DType.I32, tokens);
    Value positions = g.input(prefix + "positions", DType.I32, tokens);
    Value start = g.input(prefix + "doc_start", DType.I32, tokens);
    List<Value> states = new ArrayList<>();
    states.add(
        Add.of(
            g,
            Embedding.of(g, ids, net.matrix(prefix + "embeddings.token_embedding.weight"), 1),
            Embedding.of(
                g, positions, net.matrix(prefix + "embeddings.position_embedding.weight"), 1)));
    for (int i = 0; i < layers; i++) {
      int at = i;
      String path = prefix + "encoder.layers." + i;
      g.block(path, () -> states.add(layer(path, states.get(at), start)));
    }
    return states;
  }

  private Value layer(String path, Value x, Value start) {
    Value n = net.layerNorm(path + ".layer_norm1", x, c.eps());
    long width = c.hidden() / c.heads();
    Attention.Setting causal =
        Attention.Setting.causal(
            c.heads(), c.heads(), width, (float) (1 / Math.sqrt(width)), 0, 0, c.positions());
    String attention = path + ".self_attn.";
    List<Value> qkv =
        net.linears(n, List.of(attention + "q_proj", attention + "k_proj", attention + "v_proj"));
    Value o = Attention.of(g, path, qkv.get(0), qkv.get(1), qkv.get(2), start, causal);
    Value h = Add.of(g, net.linear(path + ".self_attn.out_proj", o), x);
    n = net.layerNorm(path + ".layer_norm2", h, c.eps());
    Value wide = Activation.of(g, net.linear(path + ".mlp.fc1", n), c.act());
    return Add.of(g, net.linear(path + ".mlp.fc2", wide), h);
  }

  /** The norm behind the last layer. */
  public Value finalNorm(Value states) {
    return net.layerNorm(prefix + "final_layer_norm", states, c.eps());
  }

  /**
   * The state of each text's end [texts, hidden], behind the last norm.
   *
   * <p>Input: end_rows [texts] i32 under the prefix, the row of each text's first end token.
   */
  public Value ends(Value states, int texts) {
    Value rows = g.input(prefix + "end_rows", DType.I32, texts);
    return Embedding.of(g, rows, finalNorm(states), 1); // picks rows
  }

  /** The same projected [texts, projection]. */
  public Value pooled(Value states, int texts) {
    return net.linear(prefix + "text_projection", ends(states, texts));
  }
}
