package org.loranative.model.llm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Attention;
import org.loranative.graph.ops.Rope;
import org.loranative.graph.ops.Split;

/**
 * Causal attention with grouped heads and rotary positions.
 *
 * @param scale of q kᵀ
 * @param softcap of scores, 0 for none
 * @param window of visible keys, 0 for all
 * @param rotates whether q and k are rotated; rotatesLocally with the local frequencies
 * @param pairing of the channels that are turned
 * @param fused whether q, k, v are one projection
 * @param qkNorm whether q and k are normed before rotation
 * @param sinks whether each head has a logit that a token may look at instead
 */
record SelfAttention(
    int heads,
    int kvHeads,
    int headDim,
    float scale,
    float softcap,
    long window,
    boolean rotates,
    boolean rotatesLocally,
    Rope.Pairing pairing,
    boolean fused,
    boolean qkNorm,
    boolean sinks)
    implements Mixer {
  static final String QUERY = "self_attn.q_proj";
  static final String KEY = "self_attn.k_proj";
  static final String VALUE = "self_attn.v_proj";
  static final String OUTPUT = "self_attn.o_proj";
  private static final String SINKS = "self_attn.sinks.weight";
  static final String QUERY_NORM = "self_attn.q_norm";
  static final String KEY_NORM = "self_attn.k_norm";

  @Override
  public List<Projection> linears(long hidden) {
    Projection o = new Projection(OUTPUT, qWidth(), hidden);
    return fused
        ? List.of(new Projection("self_attn.qkv_proj", hidden, qWidth() + 2 * kvWidth()), o)
        : List.of(
            new Projection(QUERY, hidden, qWidth()),
            new Projection(KEY, hidden, kvWidth()),
            new Projection(VALUE, hidden, kvWidth()),
            o);
  }

  @Override
  public Map<String, Shape> others() {
    return sinks ? Map.of(SINKS, Shape.of(heads)) : Map.of();
  }

  private long qWidth() {
    return (long) heads * headDim;
  }

  private long kvWidth() {
    return (long) kvHeads * headDim;
  }

  @Override
  public Value mix(LayerNet at, Value x) {
    List<Value> qkv =
        fused
            ? Split.of(
                at.graph(), at.linear("self_attn.qkv_proj", x), qWidth(), kvWidth(), kvWidth())
            : at.linears(x, QUERY, KEY, VALUE);
    return at.linear(OUTPUT, attend(at, qkv.get(0), qkv.get(1), qkv.get(2)));
  }

  /** What heads read: of projected q, k, v, before the last projection. */
  Value attend(LayerNet at, Value q, Value k, Value v) {
    Optional<Value> own =
        sinks ? Optional.of(at.net().vector(at.path() + SINKS)) : Optional.empty();
    return at.tokens().attend(at, queries(at, q), keys(at, k), v, own, setting(at));
  }

  /** Projected queries as heads compare them: normed and rotated. */
  Value queries(LayerNet at, Value projected) {
    return turned(at, QUERY_NORM, projected, rope(at).queries());
  }

  /** Projected keys as heads compare them. */
  Value keys(LayerNet at, Value projected) {
    return turned(at, KEY_NORM, projected, rope(at).keys());
  }

  private LayerNet.Rotation rope(LayerNet at) {
    return rotatesLocally ? at.localRope() : at.rope();
  }

  private Value turned(LayerNet at, String norm, Value projected, Value table) {
    Value x = qkNorm ? at.norm(norm, projected) : projected;
    return rotates ? Rope.of(at.graph(), x, table, headDim, pairing) : x;
  }

  Attention.Setting setting(LayerNet at) {
    return Attention.Setting.causal(
        heads, kvHeads, headDim, scale, softcap, window, at.tokens().longest());
  }
}
