package org.loranative.model.llm;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.CachedAttention;
import org.loranative.graph.ops.Embedding;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.PackedGlu;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.graph.ops.Rope;
import org.loranative.graph.ops.RopeTable;
import org.loranative.graph.ops.Split;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Net;
import org.loranative.model.Objective;

/**
 * The one builder of every language model: embedding, layers of attention and gated feed-forward
 * with RMSNorm, head. What differs between families is read from {@link LlmConfig}.
 */
public final class LlmGraph {
  static final String ROPE = "rope.inv_freq";
  static final String LOCAL_ROPE = "rope.local_inv_freq";

  /** Names of the inputs, all [M] i32. */
  public static final String IDS = "ids";

  public static final String POSITIONS = "positions";
  public static final String DOC_START = "doc_start";
  public static final String LABELS = "labels";

  /** The cache row of the first new token, [1] i32, when generating. */
  public static final String START = "start";

  private final LlmBase base;
  private final LlmConfig c;
  private final Net net;
  private final Graph g = new Graph();
  private final int tokens;

  private LlmGraph(LlmBase base, Adapters adapters, DType compute, boolean training, int tokens) {
    this.base = base;
    this.c = base.config();
    this.net = new Net(g, base.weights(), adapters, compute, training);
    this.tokens = tokens;
  }

  /** How attention is computed: over a packed row, or against a cache. */
  private interface Attend {
    Value apply(int layer, Value q, Value k, Value v, Attention.Setting setting);
  }

  /**
   * Where a graph ends and its loss begins.
   *
   * @param h hidden states [tokens, C]
   * @param w the head [V, C]
   * @param labels [tokens], negative for none
   * @param softcap of the logits, 0 for none
   */
  public record Head(Value h, Value w, Value labels, float softcap) {}

  /**
   * Forward and backward of a packed row of {@code tokens} tokens: adds to the adapters' gradients,
   * gives the objective's loss.
   *
   * @param maxDocument tokens of the longest document
   */
  public static Graph training(
      LlmBase base,
      Adapters adapters,
      DType compute,
      Objective<Head> objective,
      int tokens,
      int maxDocument) {
    LlmGraph llm = new LlmGraph(base, adapters, compute, true, tokens);
    llm.loss(objective, maxDocument, true);
    Autodiff.backward(llm.g);
    return llm.g;
  }

  /** Loss alone, without dropout. */
  public static Graph evaluation(
      LlmBase base,
      Adapters adapters,
      DType compute,
      Objective<Head> objective,
      int tokens,
      int maxDocument) {
    LlmGraph llm = new LlmGraph(base, adapters, compute, false, tokens);
    llm.loss(objective, maxDocument, false);
    return llm.g;
  }

  private void loss(Objective<Head> objective, int maxDocument, boolean gradient) {
    Value docStart = g.input(DOC_START, DType.I32, tokens);
    Value labels = g.input(LABELS, DType.I32, tokens);
    Value h =
        hidden(
            maxDocument,
            (layer, q, k, v, setting) ->
                Attention.of(g, path(layer, "self_attn"), q, k, v, docStart, setting));
    Head head = new Head(h, net.matrix(base.headName()), labels, c.finalSoftcap());
    objective.append(g, head, gradient);
  }

  /** All logits [tokens, V] f32 of a packed row, before the final soft cap: for comparisons. */
  public static Graph logits(
      LlmBase base, Adapters adapters, DType compute, int tokens, int maxDocument) {
    LlmGraph llm = new LlmGraph(base, adapters, compute, false, tokens);
    Value docStart = llm.g.input(DOC_START, DType.I32, tokens);
    Value h =
        llm.hidden(
            maxDocument,
            (layer, q, k, v, setting) ->
                Attention.of(llm.g, llm.path(layer, "self_attn"), q, k, v, docStart, setting));
    llm.head(h);
    return llm.g;
  }

  /**
   * New tokens against key-value caches named {@code cache.<layer>.k} and {@code .v}.
   *
   * @param capacity rows of the caches
   * @param withLogits whether the head runs; without it the graph only fills the caches
   */
  public static Graph generation(
      LlmBase base,
      Adapters adapters,
      DType compute,
      int tokens,
      int capacity,
      boolean withLogits) {
    LlmGraph llm = new LlmGraph(base, adapters, compute, false, tokens);
    Graph g = llm.g;
    Value start = g.input(START, DType.I32, 1);
    Shape cache = Shape.of(capacity, (long) llm.c.kvHeads() * llm.c.headDim());
    Value h =
        llm.hidden(
            capacity,
            (layer, q, k, v, setting) ->
                CachedAttention.of(
                    g,
                    llm.path(layer, "self_attn"),
                    q,
                    k,
                    v,
                    g.named(Kind.STATE, "cache." + layer + ".k", compute, cache),
                    g.named(Kind.STATE, "cache." + layer + ".v", compute, cache),
                    start,
                    setting));
    if (withLogits) {
      llm.head(h);
    } else {
      g.result(h);
    }
    return g;
  }

  private void head(Value h) {
    Value logits =
        Linear.of(g, "logits", h, net.matrix(base.headName()), Optional.empty(), DType.F32);
    g.result(logits);
  }

  private String path(int layer, String module) {
    return c.inLayer(layer, module);
  }

  /** Hidden states [tokens, hidden] after the last norm. */
  private Value hidden(int maxDocument, Attend attend) {
    c.rope().require(maxDocument);
    Value ids = g.input(IDS, DType.I32, tokens);
    Value positions = g.input(POSITIONS, DType.I32, tokens);
    long half = c.rope().invFreq().size();
    Value rope = RopeTable.of(g, positions, net.constant(ROPE, half), c.rope().scale());
    boolean twoBases =
        !c.localRope().equals(c.rope()) && c.layers().stream().anyMatch(LlmConfig.Layer::local);
    Value localRope =
        twoBases
            ? RopeTable.of(g, positions, net.constant(LOCAL_ROPE, half), c.localRope().scale())
            : rope;
    float scale = c.family().scaledEmbedding() ? (float) Math.sqrt(c.hidden()) : 1;
    Value x = Embedding.of(g, ids, net.matrix(base.embeddingName()), net.compute(), scale);

    // The residual stream is the sum of `residual` and `x`; each norm adds them as it reads them.
    Stream stream = new Stream(x, Optional.empty());
    for (int i = 0; i < c.layers().size(); i++) {
      Stream in = stream;
      int layer = i;
      Value table = c.layers().get(i).local() ? localRope : rope;
      Stream[] out = new Stream[1];
      g.block("layers." + i, () -> out[0] = layer(layer, in, table, maxDocument, attend));
      stream = out[0];
    }
    return net.norm(c.prefix() + "norm", stream.x(), stream.residual(), c.normEps()).y();
  }

  private record Stream(Value x, Optional<Value> residual) {}

  private Stream layer(int i, Stream in, Value rope, int maxDocument, Attend attend) {
    boolean sandwich = c.family().sandwichNorms();
    RmsNorm.Result first = net.norm(path(i, "input_layernorm"), in.x(), in.residual(), c.normEps());
    Value attention = attention(i, first.y(), rope, maxDocument, attend);
    if (sandwich) {
      attention = postNorm(path(i, "post_attention_layernorm"), attention);
    }
    RmsNorm.Result second =
        net.norm(
            path(i, sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm"),
            attention,
            Optional.of(first.sum()),
            c.normEps());
    Value ffn = feedForward(i, second.y());
    if (sandwich) {
      ffn = postNorm(path(i, "post_feedforward_layernorm"), ffn);
    }
    return new Stream(ffn, Optional.of(second.sum()));
  }

  private Value postNorm(String path, Value x) {
    return net.norm(path, x, Optional.empty(), c.normEps()).y();
  }

  private Value attention(int i, Value x, Value rope, int maxDocument, Attend attend) {
    long qWidth = (long) c.heads() * c.headDim();
    long kvWidth = (long) c.kvHeads() * c.headDim();
    List<Value> qkv =
        c.family().fusedProjections()
            ? Split.of(g, net.linear(path(i, "self_attn.qkv_proj"), x), qWidth, kvWidth, kvWidth)
            : List.of(
                net.linear(path(i, "self_attn.q_proj"), x),
                net.linear(path(i, "self_attn.k_proj"), x),
                net.linear(path(i, "self_attn.v_proj"), x));
    Value q = qkv.get(0);
    Value k = qkv.get(1);
    if (c.family().qkNorm()) {
      q = postNorm(path(i, "self_attn.q_norm"), q);
      k = postNorm(path(i, "self_attn.k_norm"), k);
    }
    if (c.layers().get(i).rotates()) {
      q = Rope.of(g, q, rope, c.headDim());
      k = Rope.of(g, k, rope, c.headDim());
    }
    Attention.Setting setting =
        Attention.Setting.causal(
            c.heads(),
            c.kvHeads(),
            c.headDim(),
            c.attentionScale(),
            c.attentionSoftcap(),
            c.layers().get(i).window(),
            maxDocument);
    Value o = attend.apply(i, q, k, qkv.get(2), setting);
    return net.linear(path(i, "self_attn.o_proj"), o);
  }

  private Value feedForward(int i, Value x) {
    Value y;
    if (c.family().fusedProjections()) {
      Value both = net.linear(path(i, "mlp.gate_up_proj"), x);
      y = PackedGlu.of(g, both, true, c.activation());
    } else {
      Value gate = net.linear(path(i, "mlp.gate_proj"), x);
      y = Glu.of(g, gate, net.linear(path(i, "mlp.up_proj"), x), c.activation());
    }
    return net.linear(path(i, "mlp.down_proj"), y);
  }
}
