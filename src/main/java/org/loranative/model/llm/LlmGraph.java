package org.loranative.model.llm;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Affine;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.CachedAttention;
import org.loranative.graph.ops.CachedDeltaRule;
import org.loranative.graph.ops.CachedShortConv;
import org.loranative.graph.ops.CachedSinkAttention;
import org.loranative.graph.ops.Cast;
import org.loranative.graph.ops.DeltaGates;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.graph.ops.Embedding;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.graph.ops.RopeTable;
import org.loranative.graph.ops.ShortConv;
import org.loranative.graph.ops.SinkAttention;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.LayerNorms;
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

  /** How many of the new tokens are real, [1] i32: where some layer keeps a state. */
  public static final String COUNT = "count";

  private final LlmBase base;
  private final LlmConfig c;
  private final Net net;
  private final Graph g;
  private final int tokens;

  private LlmGraph(LlmBase base, Adapters adapters, DType compute, boolean training, int tokens) {
    this(base, new Net(new Graph(), base.weights(), adapters, compute, training), tokens);
  }

  private LlmGraph(LlmBase base, Net net, int tokens) {
    this.base = base;
    this.c = base.config();
    this.net = net;
    this.g = net.graph();
    this.tokens = tokens;
  }

  /** Documents of a packed row. */
  private record Packed(Value docStart, int longest) implements LayerNet.Tokens {
    @Override
    public Value attend(
        LayerNet at, Value q, Value k, Value v, Optional<Value> sinks, Attention.Setting setting) {
      String name = at.path() + "self_attn";
      return sinks
          .map(s -> SinkAttention.of(at.graph(), name, q, k, v, s, docStart, setting))
          .orElseGet(() -> Attention.of(at.graph(), name, q, k, v, docStart, setting));
    }

    @Override
    public Value convolve(LayerNet at, Value x, Value w) {
      return ShortConv.of(at.graph(), at.path() + "convolved", x, w, docStart);
    }

    @Override
    public Value recur(
        LayerNet at, Value q, Value k, Value v, DeltaGates gates, DeltaRule.Heads heads) {
      return DeltaRule.of(
          at.graph(), at.path() + "delta", q, k, v, gates.g(), gates.beta(), docStart, heads);
    }
  }

  /**
   * New tokens behind key-value caches {@code cache.<layer>.k} and {@code .v}, or behind a state
   * {@code .state} and the {@code .tail} of what a convolution read.
   */
  private record Cached(Value start, int longest) implements LayerNet.Tokens {
    @Override
    public Value attend(
        LayerNet at, Value q, Value k, Value v, Optional<Value> sinks, Attention.Setting setting) {
      Graph g = at.graph();
      String name = at.path() + "self_attn";
      String cache = "cache." + at.index();
      Shape shape = Shape.of(longest, k.shape().last());
      Value keys = g.named(Kind.STATE, cache + ".k", at.net().compute(), shape);
      Value values = g.named(Kind.STATE, cache + ".v", at.net().compute(), shape);
      return sinks
          .map(s -> CachedSinkAttention.of(g, name, q, k, v, keys, values, s, start, setting))
          .orElseGet(() -> CachedAttention.of(g, name, q, k, v, keys, values, start, setting));
    }

    private static Value count(LayerNet at) {
      return at.graph().input(COUNT, DType.I32, 1);
    }

    @Override
    public Value convolve(LayerNet at, Value x, Value w) {
      Shape shape = Shape.of(w.shape().last() - 1, x.shape().last());
      String name = "cache." + at.index() + ".tail";
      Value tail = at.graph().named(Kind.STATE, name, x.dtype(), shape);
      return CachedShortConv.of(at.graph(), at.path() + "convolved", x, w, start, count(at), tail);
    }

    @Override
    public Value recur(
        LayerNet at, Value q, Value k, Value v, DeltaGates gates, DeltaRule.Heads heads) {
      String name = "cache." + at.index() + ".state";
      Value state = at.graph().named(Kind.STATE, name, DType.F32, heads.state());
      return CachedDeltaRule.of(
          at.graph(),
          at.path() + "delta",
          q,
          k,
          v,
          gates.g(),
          gates.beta(),
          start,
          count(at),
          state,
          heads);
    }
  }

  /**
   * Where a graph ends and its loss begins.
   *
   * @param h hidden states [tokens, C]
   * @param w the head [V, C]
   * @param trained the parameter that it is made of, if the head is trained
   * @param labels [tokens], negative for none
   * @param softcap of the logits, 0 for none
   */
  public record Head(Value h, Value w, Optional<Value> trained, Value labels, float softcap) {}

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
    c.rope().require(maxDocument);
    Value docStart = g.input(DOC_START, DType.I32, tokens);
    Value labels = g.input(LABELS, DType.I32, tokens);
    Value h = hidden(new Packed(docStart, maxDocument));
    Optional<Value> trained = net.trained(base.headPath());
    Head head = new Head(h, headWeight(trained), trained, labels, c.finalSoftcap());
    objective.append(g, head, gradient);
  }

  private Value headWeight(Optional<Value> trained) {
    return trained
        .map(t -> Cast.of(g, t, net.compute()))
        .orElseGet(() -> net.matrix(base.headName()));
  }

  /** All logits [tokens, V] f32 of a packed row, before the final soft cap: for comparisons. */
  public static Graph logits(
      LlmBase base, Adapters adapters, DType compute, int tokens, int maxDocument) {
    LlmGraph llm = new LlmGraph(base, adapters, compute, false, tokens);
    llm.c.rope().require(maxDocument);
    Value docStart = llm.g.input(DOC_START, DType.I32, tokens);
    llm.head(llm.hidden(new Packed(docStart, maxDocument)));
    return llm.g;
  }

  /**
   * New tokens against what layers keep of those before, under names that begin with {@code
   * cache.}: keys and values, or states.
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
    Value h = llm.hidden(new Cached(start, capacity));
    if (withLogits) {
      llm.head(h);
    } else {
      g.result(h);
    }
    return g;
  }

  private void head(Value h) {
    Value w = headWeight(net.trained(base.headPath()));
    Value logits = Linear.of(g, "logits", h, w, Optional.empty(), DType.F32);
    g.result(logits);
  }

  /**
   * States [tokens, C] behind the first layers, before any last norm, of a packed row: what image
   * models read of a text.
   *
   * @param net of the model that reads them; weights under this one's names
   * @param inputs what the names of the inputs begin with: ids, positions, doc_start
   */
  public static Value states(
      LlmBase base, Net net, String inputs, int tokens, int maxDocument, int layers) {
    base.config().rope().require(maxDocument);
    LlmGraph llm = new LlmGraph(base, net, tokens);
    Value docStart = llm.g.input(inputs + DOC_START, DType.I32, tokens);
    Stream s = llm.stream(new Packed(docStart, maxDocument), inputs, layers);
    return s.sum(llm.g);
  }

  /** Hidden states [tokens, hidden] after the last norm. */
  private Value hidden(LayerNet.Tokens these) {
    return norm(c.prefix() + "norm", stream(these, "", c.layers().size())).y();
  }

  private Stream stream(LayerNet.Tokens these, String inputs, int layers) {
    Value ids = g.input(inputs + IDS, DType.I32, tokens);
    Value positions = g.input(inputs + POSITIONS, DType.I32, tokens);
    LayerNet.Rotation rope = rope(positions, ROPE, c.rope());
    boolean twoBases =
        !c.localRope().equals(c.rope())
            && c.layers().stream().anyMatch(l -> l.mixer().rotatesLocally());
    LayerNet.Rotation localRope = twoBases ? rope(positions, LOCAL_ROPE, c.localRope()) : rope;
    // What halves add is not multiplied; the stream is held divided by their factor instead, which
    // norms do not see but for their epsilon.
    float scale = c.scales().embedding() / c.scales().residual();
    Value table =
        net.trained(base.embeddingPath()).orElseGet(() -> net.matrix(base.embeddingName()));
    Value x = Embedding.of(g, ids, table, net.compute(), scale);
    List<Value> own =
        c.layerInputs()
            .map(i -> i.of(net, c.prefix(), c.layers().size(), c.normEps(), ids, x))
            .orElse(List.of());
    Map<Integer, LayerNet.Keys> given = new HashMap<>();

    // The residual stream is the sum of `residual` and `x`; each norm adds them as it reads them.
    Stream stream = new Stream(x, Optional.empty());
    for (int i = 0; i < layers; i++) {
      Stream in = stream;
      LlmConfig.Layer layer = c.layers().get(i);
      Optional<Value> input = own.isEmpty() ? Optional.empty() : Optional.of(own.get(i));
      LayerNet at =
          new LayerNet(net, c.inLayer(i, ""), i, c.normEps(), rope, localRope, these, input, given);
      Stream[] out = new Stream[1];
      g.block("layers." + i, () -> out[0] = layer(layer, at, in));
      stream = out[0];
    }
    return stream;
  }

  private LayerNet.Rotation rope(Value positions, String name, RopeSpec spec) {
    Value frequencies = net.constant(name, spec.invFreq().size());
    Value keys = RopeTable.of(g, positions, frequencies, spec.scale());
    boolean alike = spec.growth().equals(RopeTable.Growth.NONE);
    Value queries =
        alike ? keys : RopeTable.of(g, positions, frequencies, spec.scale(), spec.growth());
    return new LayerNet.Rotation(queries, keys);
  }

  private record Stream(Value x, Optional<Value> residual) {
    Value sum(Graph g) {
      return residual.map(r -> Add.of(g, r, x)).orElse(x);
    }
  }

  private Stream layer(LlmConfig.Layer layer, LayerNet at, Stream in) {
    LayerNorms norms = c.family().norms();
    Half first = before(at, norms.beforeAttention(), in);
    Value mixed = after(at, norms.afterAttention(), layer.mixer().mix(at, first.x()));
    Half second =
        before(at, norms.beforeFeedForward(), new Stream(mixed, Optional.of(first.stream())));
    Value ffn =
        after(
            at,
            norms.afterFeedForward(),
            layer.feedForward().apply(at, second.x(), second.stream()));
    return end(at, new Stream(ffn, Optional.of(second.stream())));
  }

  /** What some families do behind both halves. */
  private Stream end(LayerNet at, Stream halves) {
    Stream out = halves;
    if (c.layerInputs().isPresent()) {
      Value sum = out.sum(g);
      out = new Stream(c.layerInputs().get().end(at, sum), Optional.of(sum));
    }
    float scale = base.layerScales().get(at.index());
    return scale == 1 ? out : new Stream(Affine.of(g, out.sum(g), scale, 0), Optional.empty());
  }

  /** What a half of a layer reads, and the residual stream there. */
  private record Half(Value x, Value stream) {}

  private Half before(LayerNet at, String norm, Stream in) {
    if (!norm.isEmpty()) {
      RmsNorm.Result normed = norm(at.path() + norm, in);
      return new Half(normed.y(), normed.sum());
    }
    Value sum = in.sum(g);
    return new Half(sum, sum);
  }

  private static Value after(LayerNet at, String norm, Value x) {
    return norm.isEmpty() ? x : at.norm(norm, x);
  }

  /** A norm that reads the residual stream. */
  private RmsNorm.Result norm(String path, Stream in) {
    float unit = c.scales().residual();
    return net.norm(path, in.x(), in.residual(), c.normEps() / (unit * unit));
  }
}
