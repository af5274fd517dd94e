package org.loranative.model.llm;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.DeltaGates;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.graph.ops.Split;
import org.loranative.io.DType;

/**
 * A layer whose tokens read one another through a state of fixed size (Yang et al. 2024, Gated
 * DeltaNet): queries, keys and values pass a short convolution, then the gated delta rule; what it
 * answers is normed in each head and gated.
 *
 * @param heads of keys and values
 * @param taps of the convolution
 * @param grouped whether each key head's rows of all projections stand together (Qwen3-Next), in
 *     two projections
 */
record GatedDeltaNet(DeltaRule.Heads heads, long taps, boolean grouped) implements Mixer {
  /** Whose weight no family counts from 1. */
  static final String NORM = "linear_attn.norm";

  private static final String CONVOLUTION = "linear_attn.conv1d.weight";
  private static final String DECAY = "linear_attn.A_log";
  private static final String DECAY_BIAS = "linear_attn.dt_bias";
  private static final String QUERY_LENGTH = "delta.query_length";
  private static final String KEY_LENGTH = "delta.key_length";

  /** Added to the squared length of a query and a key. */
  private static final double EPS = 1e-6;

  private long keys() {
    return heads.keyHeads() * heads.keyWidth();
  }

  private long values() {
    return heads.heads() * heads.width();
  }

  @Override
  public List<Projection> linears(long hidden) {
    Projection out = new Projection("linear_attn.out_proj", values(), hidden);
    return grouped
        ? List.of(
            new Projection("linear_attn.in_proj_qkvz", hidden, 2 * keys() + 2 * values()),
            new Projection("linear_attn.in_proj_ba", hidden, 2 * heads.heads()),
            out)
        : List.of(
            new Projection("linear_attn.in_proj_qkv", hidden, 2 * keys() + values()),
            new Projection("linear_attn.in_proj_z", hidden, values()),
            new Projection("linear_attn.in_proj_b", hidden, heads.heads()),
            new Projection("linear_attn.in_proj_a", hidden, heads.heads()),
            out);
  }

  @Override
  public Map<String, Shape> others() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    shapes.put(CONVOLUTION, Shape.of(2 * keys() + values(), 1, taps));
    shapes.put(DECAY, Shape.of(heads.heads()));
    shapes.put(DECAY_BIAS, Shape.of(heads.heads()));
    shapes.put(NORM + ".weight", Shape.of(heads.width()));
    return shapes;
  }

  @Override
  public boolean rotatesLocally() {
    return false;
  }

  @Override
  public boolean isRecurrent() {
    return true;
  }

  /** What queries and keys of length 1 are multiplied by: an RMSNorm's weights. */
  @Override
  public Map<String, float[]> constants() {
    double width = heads.keyWidth();
    float[] query = new float[(int) heads.keyWidth()];
    float[] key = new float[(int) heads.keyWidth()];
    Arrays.fill(query, (float) (1 / width));
    Arrays.fill(key, (float) (1 / Math.sqrt(width)));
    return Map.of(QUERY_LENGTH, query, KEY_LENGTH, key);
  }

  /** What a layer's projections say. */
  private record Said(Value qkv, Value z, Value b, Value a) {}

  @Override
  public Value mix(LayerNet at, Value x) {
    Graph g = at.graph();
    Said said = grouped ? together(at, x) : apart(at, x);
    Value w =
        g.named(
            Kind.WEIGHT, at.path() + CONVOLUTION, DType.F32, Shape.of(2 * keys() + values(), taps));
    List<Value> qkv =
        Split.of(g, at.tokens().convolve(at, said.qkv(), w), keys(), keys(), values());
    Value q = ofLength(at, QUERY_LENGTH, qkv.get(0));
    Value k = ofLength(at, KEY_LENGTH, qkv.get(1));
    DeltaGates gates =
        DeltaGates.of(g, said.a(), said.b(), vector(at, DECAY), vector(at, DECAY_BIAS));
    Value o = at.tokens().recur(at, q, k, qkv.get(2), gates, heads);
    Value y = Glu.of(g, said.z(), at.norm(NORM, o), Act.SILU);
    return at.linear("linear_attn.out_proj", y);
  }

  private static Said apart(LayerNet at, Value x) {
    List<Value> each =
        at.linears(
            x,
            "linear_attn.in_proj_qkv",
            "linear_attn.in_proj_z",
            "linear_attn.in_proj_b",
            "linear_attn.in_proj_a");
    return new Said(each.get(0), each.get(1), each.get(2), each.get(3));
  }

  private Said together(LayerNet at, Value x) {
    Graph g = at.graph();
    long groups = heads.keyHeads();
    List<Value> parts =
        Split.ofGroups(
            g, at.linear("linear_attn.in_proj_qkvz", x), groups, keys(), keys(), 2 * values());
    List<Value> vz = Split.ofGroups(g, parts.get(2), groups, values(), values());
    List<Value> ba =
        Split.ofGroups(
            g, at.linear("linear_attn.in_proj_ba", x), groups, heads.heads(), heads.heads());
    Value qkv = Split.join(g, List.of(parts.get(0), parts.get(1), vz.get(0)));
    return new Said(qkv, vz.get(1), ba.get(0), ba.get(1));
  }

  private static Value vector(LayerNet at, String name) {
    return at.net().vector(at.path() + name);
  }

  /** Each head of {@code x} to a fixed length: an RMSNorm, whose mean is a K-th of the square. */
  private Value ofLength(LayerNet at, String constant, Value x) {
    Value w = at.net().constant(constant, heads.keyWidth());
    float eps = (float) (EPS / heads.keyWidth());
    return RmsNorm.of(at.graph(), at.path() + constant, x, Optional.empty(), w, eps).y();
  }
}
