package org.loranative.model.llm;

import java.util.List;
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
    boolean qkNorm)
    implements Mixer {

  @Override
  public List<Projection> linears(long hidden) {
    Projection o = new Projection("self_attn.o_proj", qWidth(), hidden);
    return fused
        ? List.of(new Projection("self_attn.qkv_proj", hidden, qWidth() + 2 * kvWidth()), o)
        : List.of(
            new Projection("self_attn.q_proj", hidden, qWidth()),
            new Projection("self_attn.k_proj", hidden, kvWidth()),
            new Projection("self_attn.v_proj", hidden, kvWidth()),
            o);
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
            : List.of(
                at.linear("self_attn.q_proj", x),
                at.linear("self_attn.k_proj", x),
                at.linear("self_attn.v_proj", x));
    Value q = qkv.get(0);
    Value k = qkv.get(1);
    if (qkNorm) {
      q = at.norm("self_attn.q_norm", q);
      k = at.norm("self_attn.k_norm", k);
    }
    if (rotates) {
      Value table = rotatesLocally ? at.localRope() : at.rope();
      q = Rope.of(at.graph(), q, table, headDim, pairing);
      k = Rope.of(at.graph(), k, table, headDim, pairing);
    }
    Attention.Setting setting =
        Attention.Setting.causal(
            heads, kvHeads, headDim, scale, softcap, window, at.tokens().longest());
    return at.linear("self_attn.o_proj", at.tokens().attend(at, q, k, qkv.get(2), setting));
  }
}
