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
 * {@link CachedAttention} with the sinks of {@link SinkAttention}.
 *
 * @param lse [heads, T] f32, with the sink
 */
public record CachedSinkAttention(
    Value q,
    Value k,
    Value v,
    Value kCache,
    Value vCache,
    Value sinks,
    Value start,
    @Out Value o,
    @Out Value lse,
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
      Value sinks,
      Value start,
      Attention.Setting setting) {
    Value o = g.like(q, name);
    Value lse = g.temp(name + ".lse", DType.F32, Shape.of(setting.heads(), q.shape().dim(0)));
    g.add(new CachedSinkAttention(q, k, v, kCache, vCache, sinks, start, o, lse, setting));
    return o;
  }

  @Override
  public long scratchBytes(Device d) {
    return CachedAttention.scratch(d, q, kCache, setting);
  }

  @Override
  public void backward(Grads g) {
    throw new UnsupportedOperationException("generation has no backward");
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_cached_sink_attention_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(kCache),
            at.of(vCache),
            at.of(sinks),
            at.of(start),
            at.of(o),
            at.of(lse),
            at.scratch(),
            q.shape().dim(0),
            kCache.shape().dim(0),
            setting.heads(),
            setting.kvHeads(),
            setting.headDim(),
            setting.scale(),
            setting.window(),
            q.dtype().code));
  }
}
