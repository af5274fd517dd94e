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
 * Causal {@link Attention} in which each head has a sink (Xiao et al. 2023; gpt-oss): one more
 * logit that a token may look at instead, without a key or value. Backward is attention's own,
 * since {@code lse} counts the sink.
 *
 * @param sinks frozen [heads] f32
 * @param docStart where each query's document starts, [M] i32
 */
public record SinkAttention(
    Value q,
    Value k,
    Value v,
    Value sinks,
    Value docStart,
    @Out Value o,
    @Out Value lse,
    Attention.Setting setting)
    implements Op {
  public SinkAttention {
    Values.require(
        q.shape().last() == setting.heads() * setting.headDim()
            && k.shape().last() == setting.kvHeads() * setting.headDim()
            && v.shape().equals(k.shape())
            && sinks.shape().size() == setting.heads()
            && setting.softcap() == 0
            && setting.keys() == 0,
        "sink_attention",
        q,
        k,
        v);
  }

  public static Value of(
      Graph g,
      String name,
      Value q,
      Value k,
      Value v,
      Value sinks,
      Value docStart,
      Attention.Setting setting) {
    Value o = g.like(q, name);
    Value lse = g.temp(name + ".lse", DType.F32, Shape.of(setting.heads(), q.shape().dim(0)));
    g.add(new SinkAttention(q, k, v, sinks, docStart, o, lse, setting));
    return o;
  }

  @Override
  public long scratchBytes(Device d) {
    return Attention.scratch(d, q, setting, false);
  }

  @Override
  public void backward(Grads g) {
    Value dq = g.newGradient(q);
    Value dk = g.newGradient(k);
    Value dv = g.newGradient(v);
    g.emit(
        new Attention.AttentionBackward(
            g.of(o).orElseThrow(), q, k, v, o, lse, Optional.of(docStart), dq, dk, dv, setting));
    g.add(q, dq);
    g.add(k, dk);
    g.add(v, dv);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_sink_attention_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(sinks),
            at.of(docStart),
            at.of(o),
            at.of(lse),
            at.scratch(),
            q.shape().dim(0),
            setting.heads(),
            setting.kvHeads(),
            setting.headDim(),
            setting.scale(),
            setting.window(),
            q.dtype().code));
  }
}
