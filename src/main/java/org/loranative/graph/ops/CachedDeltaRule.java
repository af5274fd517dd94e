package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;

/**
 * {@link DeltaRule} of new tokens, for generation: state [heads, K, V] f32 is S before them, and
 * afterwards S behind the last real one. No backward.
 *
 * @param start [1] i32, how many tokens were before; 0 where the state holds nothing yet
 * @param count [1] i32, how many of the T tokens are real
 */
public record CachedDeltaRule(
    Value q,
    Value k,
    Value v,
    Value g,
    Value beta,
    Value start,
    Value count,
    Value state,
    @Out Value o,
    DeltaRule.Heads heads)
    implements Op {
  public CachedDeltaRule {
    heads.require("cached_delta_rule", q, k, v, g, beta);
  }

  public static Value of(
      Graph graph,
      String name,
      Value q,
      Value k,
      Value v,
      Value g,
      Value beta,
      Value start,
      Value count,
      Value state,
      DeltaRule.Heads heads) {
    Value o = graph.like(v, name);
    graph.add(new CachedDeltaRule(q, k, v, g, beta, start, count, state, o, heads));
    return o;
  }

  @Override
  public void backward(Grads grads) {
    throw new UnsupportedOperationException("generation has no backward");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_cached_delta_rule_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(g),
            at.of(beta),
            at.of(start),
            at.of(count),
            at.of(state),
            at.of(o),
            q.shape().rows(),
            heads.keyHeads(),
            heads.heads(),
            heads.keyWidth(),
            heads.width(),
            q.dtype().code));
  }
}
