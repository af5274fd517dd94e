package org.loranative.model.diffusion.t5;

import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.BiasedAttention;
import org.loranative.graph.ops.Embedding;
import org.loranative.graph.ops.Glu;
import org.loranative.io.DType;
import org.loranative.model.Net;

/**
 * T5's encoder (Raffel et al. 2020; version 1.1), as transformers' T5EncoderModel computes it. It
 * stays frozen.
 */
public final class T5Text {
  private final T5Config c;
  private final String prefix;
  private final Net net;
  private final Graph g;

  /**
   * @param prefix of its weights: {@code text_encoder_3.}
   */
  public T5Text(T5Config config, String prefix, Net net) {
    this.c = config;
    this.prefix = prefix;
    this.net = net;
    this.g = net.graph();
  }

  /**
   * The last states [texts·tokens, hidden].
   *
   * <p>Inputs under the prefix: ids [texts·tokens] i32, distances [2·tokens − 1] i32, each
   * distance's bucket, and where it is masked padding [texts] i32.
   *
   * @param masked whether no token sees padding, or every token does
   */
  public Value encode(int texts, int tokens, boolean masked) {
    Value ids = g.input(prefix + "ids", DType.I32, (long) texts * tokens);
    Value distances = g.input(prefix + "distances", DType.I32, 2L * tokens - 1);
    String table = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    Optional<Value> padding =
        masked
            ? Optional.of(g.input(prefix + T5Reader.PADDING, DType.I32, texts))
            : Optional.empty();
    Value bias = Embedding.of(g, distances, net.table(prefix + table), 1);
    Value[] x = {Embedding.of(g, ids, net.table(prefix + "shared.weight"), 1)};
    for (int i = 0; i < c.layers(); i++) {
      String path = prefix + "encoder.block." + i + ".layer.";
      g.block(path, () -> x[0] = layer(path, x[0], bias, padding, texts));
    }
    return norm(prefix + "encoder.final_layer_norm", x[0]);
  }

  private Value layer(String path, Value x, Value bias, Optional<Value> padding, int texts) {
    String attention = path + "0.SelfAttention";
    Value n = norm(path + "0.layer_norm", x);
    Value o =
        BiasedAttention.of(
            g,
            attention,
            net.linear(attention + ".q", n),
            net.linear(attention + ".k", n),
            net.linear(attention + ".v", n),
            bias,
            padding,
            texts,
            c.heads());
    Value h = Add.of(g, net.linear(attention + ".o", o), x);
    n = norm(path + "1.layer_norm", h);
    String forward = path + "1.DenseReluDense.";
    Value gated =
        Glu.of(g, net.linear(forward + "wi_0", n), net.linear(forward + "wi_1", n), Act.GELU_TANH);
    return Add.of(g, net.linear(forward + "wo", gated), h);
  }

  private Value norm(String path, Value x) {
    return net.norm(path, x, Optional.empty(), c.eps()).y();
  }
}
