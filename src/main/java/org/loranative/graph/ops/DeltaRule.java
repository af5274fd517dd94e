package org.loranative.graph.ops;

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
 * The gated delta rule (Yang et al. 2024, eq. 10): each head of a document keeps a state S [K, V],
 * from 0 on {@code S = exp(g) S}, then {@code S += k (beta (v - Sᵀ k))ᵀ}, and answers {@code o = Sᵀ
 * q}. Value heads are grouped over key heads.
 *
 * @param q [M, keyHeads·K]
 * @param k likewise, of length 1 in each head
 * @param v [M, heads·V]
 * @param g [M, heads] f32
 * @param beta [M, heads] f32
 * @param docStart [M] i32, the first token of each token's document
 * @param o [M, heads·V]
 * @param states [chunks, heads, K, V] f32, S before each chunk of tokens, saved for backward
 */
public record DeltaRule(
    Value q,
    Value k,
    Value v,
    Value g,
    Value beta,
    Value docStart,
    @Out Value o,
    @Out Value states,
    Heads heads)
    implements Op {

  /**
   * @param keyHeads heads of q and k; each serves heads / keyHeads that follow one another
   * @param heads of v
   * @param keyWidth K, at most {@link #WIDEST}
   * @param width V, likewise
   */
  public record Heads(long keyHeads, long heads, long keyWidth, long width) {
    public Heads {
      Values.require(
          heads % keyHeads == 0 && keyWidth <= WIDEST && width <= WIDEST,
          "delta_rule",
          keyHeads,
          heads,
          keyWidth,
          width);
    }

    void require(String op, Value q, Value k, Value v, Value g, Value beta) {
      long tokens = q.shape().rows();
      Values.require(
          q.shape().last() == keyHeads * keyWidth
              && k.shape().equals(q.shape())
              && v.shape().equals(Shape.of(tokens, heads * width))
              && g.shape().equals(Shape.of(tokens, heads))
              && beta.shape().equals(g.shape()),
          op,
          q,
          k,
          v,
          g,
          beta);
    }

    /** Of the states of all heads, as a matrix. */
    public Shape state() {
      return Shape.of(heads * keyWidth, width);
    }
  }

  /** The widest head. */
  public static final int WIDEST = LoraOps.LN_DELTA_WIDEST;

  public DeltaRule {
    heads.require("delta_rule", q, k, v, g, beta);
  }

  public static Value of(
      Graph graph,
      String name,
      Value q,
      Value k,
      Value v,
      Value g,
      Value beta,
      Value docStart,
      Heads heads) {
    Value o = graph.like(v, name);
    long chunks = (q.shape().rows() + LoraOps.LN_DELTA_CHUNK - 1) / LoraOps.LN_DELTA_CHUNK;
    Shape one = heads.state();
    Value states =
        graph.temp(name + ".states", DType.F32, Shape.of(chunks * one.dim(0), one.dim(1)));
    graph.add(new DeltaRule(q, k, v, g, beta, docStart, o, states, heads));
    return o;
  }

  private static long scratch(Device d, Value q, Heads h, boolean backward) {
    return LoraOps.ln_delta_rule_scratch(
        d.handle(),
        q.shape().rows(),
        h.keyHeads(),
        h.heads(),
        h.keyWidth(),
        h.width(),
        backward ? 1 : 0);
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, q, heads, false);
  }

  @Override
  public void backward(Grads grads) {
    Value dq = grads.newGradient(q);
    Value dk = grads.newGradient(k);
    Value dv = grads.newGradient(v);
    Value dg = grads.newGradient(g);
    Value dbeta = grads.newGradient(beta);
    grads.emit(
        new DeltaRuleBackward(
            grads.of(o).orElseThrow(),
            q,
            k,
            v,
            g,
            beta,
            docStart,
            states,
            dq,
            dk,
            dv,
            dg,
            dbeta,
            heads));
    grads.add(q, dq);
    grads.add(k, dk);
    grads.add(v, dv);
    grads.add(g, dg);
    grads.add(beta, dbeta);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_delta_rule_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(g),
            at.of(beta),
            at.of(docStart),
            at.of(o),
            at.of(states),
            at.scratch(),
            q.shape().rows(),
            heads.keyHeads(),
            heads.heads(),
            heads.keyWidth(),
            heads.width(),
            q.dtype().code));
  }

  record DeltaRuleBackward(
      Value dout,
      Value q,
      Value k,
      Value v,
      Value g,
      Value beta,
      Value docStart,
      Value states,
      @Out Value dq,
      @Out Value dk,
      @Out Value dv,
      @Out Value dg,
      @Out Value dbeta,
      Heads heads)
      implements Backward {
    @Override
    public long scratchBytes(Device d) {
      return scratch(d, q, heads, true);
    }

    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_delta_rule_bwd(
              d.handle(),
              at.of(dout),
              at.of(q),
              at.of(k),
              at.of(v),
              at.of(g),
              at.of(beta),
              at.of(docStart),
              at.of(states),
              at.of(dq),
              at.of(dk),
              at.of(dv),
              at.of(dg),
              at.of(dbeta),
              at.scratch(),
              q.shape().rows(),
              heads.keyHeads(),
              heads.heads(),
              heads.keyWidth(),
              heads.width(),
              q.dtype().code));
    }
  }
}
