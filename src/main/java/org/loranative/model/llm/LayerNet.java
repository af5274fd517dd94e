package org.loranative.model.llm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.DeltaGates;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.model.Net;

/**
 * What the words of one layer build with: names are those within the layer.
 *
 * @param path of the layer's modules, with its dot
 * @param index of the layer whose cache is read and written: its own, or a giver's
 * @param rope tables of rotations; localRope those of the local frequencies
 * @param input what a model with {@link LayerInputs} gives this layer alone
 * @param given keys and values of layers before, by their index
 */
record LayerNet(
    Net net,
    String path,
    int index,
    float normEps,
    Rotation rope,
    Rotation localRope,
    Tokens tokens,
    Optional<Value> input,
    Map<Integer, Keys> given) {

  /** Tables by which queries and keys are turned: two where queries grow with their position. */
  record Rotation(Value queries, Value keys) {}

  /** Keys and values [tokens, kvHeads headDim], as heads read them. */
  record Keys(Value k, Value v) {}

  /** The tokens of a graph: documents of a packed row, or new ones behind a cache. */
  interface Tokens {
    /** Tokens of the longest document, or of a cache. */
    int longest();

    /**
     * What heads read.
     *
     * @param sinks of heads that have one, [heads]
     */
    Value attend(
        LayerNet at, Value q, Value k, Value v, Optional<Value> sinks, Attention.Setting setting);

    /** A short convolution of x [tokens, C] with w [C, K]. */
    Value convolve(LayerNet at, Value x, Value w);

    /** What the delta rule answers. */
    Value recur(LayerNet at, Value q, Value k, Value v, DeltaGates gates, DeltaRule.Heads heads);
  }

  /** The same layer before the cache of another. */
  LayerNet withCacheOf(int layer) {
    return new LayerNet(net, path, layer, normEps, rope, localRope, tokens, input, given);
  }

  Graph graph() {
    return net.graph();
  }

  Value linear(String module, Value x) {
    return net.linear(path + module, x);
  }

  /** Layers that read the same x. */
  List<Value> linears(Value x, String... modules) {
    return net.linears(x, Stream.of(modules).map(m -> path + m).toList());
  }

  Value norm(String module, Value x) {
    return net.norm(path + module, x, Optional.empty(), normEps).y();
  }
}
