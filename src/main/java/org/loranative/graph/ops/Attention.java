package org.loranative.graph.ops;

import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Attention (Dao 2023): q, o [M, heads·D], k, v [keys, kvHeads·D]; lse [heads, M] f32 is saved for
 * backward. Causal within each document of a packed row (keys = M), or full between groups of
 * queries and keys.
 *
 * @param bounds i32: where each query's document starts [M]; or how many of each group's last keys
 *     are padding that no query sees [groups], where any are
 */
public record Attention(
    Value q,
    Value k,
    Value v,
    Optional<Value> bounds,
    @Out Value o,
    @Out Value lse,
    Setting setting)
    implements Op {
  /**
   * @param scale of q kᵀ, usually 1/√D
   * @param softcap of scores (Gemma 2), 0 for none
   * @param window of visible keys, 0 for all
   * @param maxDocument tokens of the longest document, or keys of a group: sizes scratch
   * @param queries of a group, where attention is full; 0 where it is causal
   * @param keys of a group, likewise
   */
  public record Setting(
      long heads,
      long kvHeads,
      long headDim,
      float scale,
      float softcap,
      long window,
      long maxDocument,
      long queries,
      long keys) {
    /** Causal within documents. */
    public static Setting causal(
        long heads,
        long kvHeads,
        long headDim,
        float scale,
        float softcap,
        long window,
        long maxDocument) {
      return new Setting(heads, kvHeads, headDim, scale, softcap, window, maxDocument, 0, 0);
    }

    /** Full within groups: those of an image, or an image's queries and its caption's keys. */
    public static Setting full(long heads, long headDim, long queries, long keys) {
      float scale = (float) (1 / Math.sqrt(headDim));
      return new Setting(heads, heads, headDim, scale, 0, 0, keys, queries, keys);
    }

    private boolean isCausal() {
      return keys == 0;
    }

    /** How many bounds there are for queries: of each, or of each group. */
    private long bounds(Value q) {
      return isCausal() ? q.shape().rows() : q.shape().rows() / queries;
    }

    /** Without what only documents may have. */
    private boolean isPlain() {
      return heads == kvHeads && softcap == 0 && window == 0;
    }
  }

  public Attention {
    Values.require(
        q.shape().last() == setting.heads() * setting.headDim()
            && k.shape().last() == setting.kvHeads() * setting.headDim()
            && v.shape().equals(k.shape())
            && (setting.isCausal() ? bounds.isPresent() : setting.isPlain())
            && bounds.map(b -> b.shape().size() == setting.bounds(q)).orElse(true),
        "attention",
        q,
        k,
        v);
  }

  /** Causal attention within documents. */
  public static Value of(
      Graph g, String name, Value q, Value k, Value v, Value docStart, Setting setting) {
    return of(g, name, q, k, v, Optional.of(docStart), setting);
  }

  /** Full attention within groups. */
  public static Value of(Graph g, String name, Value q, Value k, Value v, Setting setting) {
    return of(g, name, q, k, v, Optional.empty(), setting);
  }

  /** Either, as the bounds are meant. */
  public static Value of(
      Graph g, String name, Value q, Value k, Value v, Optional<Value> bounds, Setting setting) {
    Value o = g.like(q, name);
    Value lse = g.temp(name + ".lse", DType.F32, Shape.of(setting.heads(), q.shape().dim(0)));
    g.add(new Attention(q, k, v, bounds, o, lse, setting));
    return o;
  }

  static long scratch(Device d, Value q, Setting setting, boolean backward) {
    return LoraOps.ln_attention_scratch(
        d.handle(),
        q.shape().dim(0),
        setting.heads(),
        setting.headDim(),
        setting.maxDocument(),
        setting.queries(),
        setting.keys(),
        backward ? 1 : 0,
        q.dtype().code);
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, q, setting, false);
  }

  @Override
  public void backward(Grads g) {
    Value dq = g.newGradient(q);
    Value dk = g.newGradient(k);
    Value dv = g.newGradient(v);
    g.emit(
        new AttentionBackward(g.of(o).orElseThrow(), q, k, v, o, lse, bounds, dq, dk, dv, setting));
    g.add(q, dq);
    g.add(k, dk);
    g.add(v, dv);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_attention_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(bounds),
            at.of(o),
            at.of(lse),
            at.scratch(),
            q.shape().dim(0),
            setting.heads(),
            setting.kvHeads(),
            setting.headDim(),
            setting.scale(),
            setting.softcap(),
            setting.window(),
            setting.queries(),
            setting.keys(),
            q.dtype().code));
  }

  record AttentionBackward(
      Value dout,
      Value q,
      Value k,
      Value v,
      Value o,
      Value lse,
      Optional<Value> bounds,
      @Out Value dq,
      @Out Value dk,
      @Out Value dv,
      Setting setting)
      implements Backward {
    @Override
    public long scratchBytes(Device d) {
      return scratch(d, q, setting, true);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_attention_bwd(
              d.handle(),
              at.of(dout),
              at.of(q),
              at.of(k),
              at.of(v),
              at.of(o),
              at.of(lse),
              at.of(bounds),
              at.of(dq),
              at.of(dk),
              at.of(dv),
              at.scratch(),
              q.shape().dim(0),
              setting.heads(),
              setting.kvHeads(),
              setting.headDim(),
              setting.scale(),
              setting.softcap(),
              setting.window(),
              setting.queries(),
              setting.keys(),
              q.dtype().code));
    }
  }
}
