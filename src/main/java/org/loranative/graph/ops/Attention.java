package org.loranative.graph.ops;

import java.util.List;
import java.util.function.UnaryOperator;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Causal attention within each document of a packed row (Dao 2023): q, o [M, heads·D], k, v [M,
 * kvHeads·D], docStart [M] i32; lse [heads, M] f32 is saved for backward.
 */
public record Attention(
    Value q, Value k, Value v, Value docStart, Value o, Value lse, Setting setting) implements Op {
  /**
   * @param scale of q kᵀ, usually 1/√D
   * @param softcap of scores (Gemma 2), 0 for none
   * @param window of visible keys, 0 for all
   * @param maxDocument tokens of the longest document, which sizes scratch
   */
  public record Setting(
      long heads,
      long kvHeads,
      long headDim,
      float scale,
      float softcap,
      long window,
      long maxDocument) {}

  public Attention {
    Values.require(
        q.shape().last() == setting.heads() * setting.headDim()
            && k.shape().last() == setting.kvHeads() * setting.headDim()
            && v.shape().equals(k.shape()),
        "attention",
        q,
        k,
        v);
  }

  public static Value of(
      Graph g, String name, Value q, Value k, Value v, Value docStart, Setting setting) {
    Value o = g.like(q, name);
    Value lse = g.temp(name + ".lse", DType.F32, Shape.of(setting.heads(), q.shape().dim(0)));
    g.add(new Attention(q, k, v, docStart, o, lse, setting));
    return o;
  }

  private static long scratch(Device d, Value q, Setting setting, boolean backward) {
    return LoraOps.ln_attention_scratch(
        d.handle(),
        q.shape().dim(0),
        setting.heads(),
        setting.maxDocument(),
        setting.headDim(),
        backward ? 1 : 0);
  }

  @Override
  public List<Value> inputs() {
    return List.of(q, k, v, docStart);
  }

  @Override
  public List<Value> outputs() {
    return List.of(o, lse);
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
        new AttentionBackward(
            g.of(o).orElseThrow(), q, k, v, o, lse, docStart, dq, dk, dv, setting));
    g.add(q, dq);
    g.add(k, dk);
    g.add(v, dv);
  }

  @Override
  public Attention rebind(UnaryOperator<Value> f) {
    return new Attention(
        f.apply(q), f.apply(k), f.apply(v), f.apply(docStart), f.apply(o), f.apply(lse), setting);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_attention_fwd(
            d.handle(),
            at.of(q),
            at.of(k),
            at.of(v),
            at.of(docStart),
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
            q.dtype().code));
  }

  record AttentionBackward(
      Value dout,
      Value q,
      Value k,
      Value v,
      Value o,
      Value lse,
      Value docStart,
      Value dq,
      Value dk,
      Value dv,
      Setting setting)
      implements Backward {
    @Override
    public List<Value> inputs() {
      return List.of(dout, q, k, v, o, lse, docStart);
    }

    @Override
    public List<Value> outputs() {
      return List.of(dq, dk, dv);
    }

    @Override
    public long scratchBytes(Device d) {
      return scratch(d, q, setting, true);
    }

    @Override
    public AttentionBackward rebind(UnaryOperator<Value> f) {
      return new AttentionBackward(
          f.apply(dout),
          f.apply(q),
          f.apply(k),
          f.apply(v),
          f.apply(o),
          f.apply(lse),
          f.apply(docStart),
          f.apply(dq),
          f.apply(dk),
          f.apply(dv),
          setting);
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
              at.of(docStart),
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
              q.dtype().code));
    }
  }
}
