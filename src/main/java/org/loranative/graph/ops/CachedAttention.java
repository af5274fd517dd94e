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
 * Attention with a key-value cache, for generation: k, v [T, kvHeads·D] are written into the caches
 * [capacity, kvHeads·D] from row {@code start} on, then q [T, heads·D] attends to all rows up to
 * its own. No backward.
 */
public record CachedAttention(
    Value q,
    Value k,
    Value v,
    Value kCache,
    Value vCache,
    Value start,
    @Out Value o,
    Attention.Setting setting)
    implements Op {
  public static Value of(
      Graph g,
      String name,
      Value q,
      Value k,
      Value v,
      Value kCache,
      Value vCache,
      Value start,
      Attention.Setting setting) {
    Value o = g.like(q, name);
    g.add(new CachedAttention(q, k, v, kCache, vCache, start, o, setting));
    return o;
  }

  @Override
  public long scratchBytes(Device d) {
    return scratch(d, q, kCache, setting);
  }

  /** Bytes that attention over a cache needs beside its values, with sinks or without. */
  static long scratch(Device d, Value q, Value kCache, Attention.Setting setting) {
    return LoraOps.ln_cached_attention_scratch(
        d.handle(), q.shape().dim(0), kCache.shape().dim(0), setting.heads(), setting.headDim());
  }

  @Override
  public void backward(Grads g) {
    throw new UnsupportedOperationException("generation has no backward");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_cached_attention_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(kCache),
            at.of(vCache),
            at.of(start),
            at.of(o),
            0,
            at.scratch(),
            q.shape().dim(0),
            kCache.shape().dim(0),
            setting.heads(),
            setting.kvHeads(),
            setting.headDim(),
            setting.scale(),
            setting.softcap(),
            setting.window(),
            q.dtype().code));
  }
}
