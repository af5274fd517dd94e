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

/**
 * T5's attention (Raffel et al. 2020): full within each text, with a number for each distance added
 * to the scores and no scale. q, k, v, o [texts·T, heads·D]; bias [2 T − 1, heads], whose row
 * {@code j − i + T − 1} is for token i that sees token j; padding [texts] i32: how many of a text's
 * last tokens no token sees, where any are hidden. No backward: T5 stays frozen.
 */
public record BiasedAttention(
    Value q,
    Value k,
    Value v,
    Value bias,
    Optional<Value> padding,
    @Out Value o,
    long texts,
    long heads)
    implements Op {
  public BiasedAttention {
    long tokens = q.shape().rows() / texts;
    Values.require(
        q.shape().equals(k.shape())
            && q.shape().equals(v.shape())
            && padding.map(p -> p.shape().equals(Shape.of(texts))).orElse(true)
            && bias.shape().equals(Shape.of(2 * tokens - 1, heads)),
        "biased_attention",
        q,
        k,
        v,
        bias);
  }

  public static Value of(
      Graph g,
      String name,
      Value q,
      Value k,
      Value v,
      Value bias,
      Optional<Value> padding,
      long texts,
      long heads) {
    Value o = g.like(q, name);
    g.add(new BiasedAttention(q, k, v, bias, padding, o, texts, heads));
    return o;
  }

  @Override
  public void backward(Grads g) {
    throw new IllegalStateException("T5 stays frozen");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_biased_attention_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(bias),
            at.of(padding),
            at.of(o),
            texts,
            q.shape().rows() / texts,
            heads,
            q.shape().last() / heads,
            q.dtype().code));
  }
}
