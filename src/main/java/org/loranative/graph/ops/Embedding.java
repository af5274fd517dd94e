package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * {@code y[m] = w[ids[m]] * scale}: ids [M] i32, y [M, C]; w [V, C] of y's dtype or in blocks, or a
 * parameter in f32.
 */
public record Embedding(Value ids, Value w, @Out Value y, float scale) implements Op {
  public static Value of(Graph g, Value ids, Value w, float scale) {
    return of(g, ids, w, w.dtype(), scale);
  }

  /** The same where w may be in blocks, or a parameter. */
  public static Value of(Graph g, Value ids, Value w, DType yType, float scale) {
    Value y = g.temp("embedding", yType, Shape.of(ids.shape().size(), w.shape().last()));
    g.add(new Embedding(ids, w, y, scale));
    return y;
  }

  @Override
  public void backward(Grads g) {
    Value dy = g.of(y).orElseThrow();
    if (w.kind() == Kind.PARAM) {
      g.emit(new TableBackward(dy, ids, g.accumulator(w), scale));
      return;
    }
    Value dw = g.newGradient(w);
    g.emit(new EmbeddingBackward(dy, ids, dw, scale));
    g.add(w, dw);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_embedding_fwd(
            d.handle(),
            at.of(ids),
            at.of(w),
            at.of(y),
            y.shape().dim(0),
            y.shape().dim(1),
            w.shape().dim(0),
            scale,
            w.dtype().code,
            y.dtype().code));
  }

  /** {@code dw[ids[m]] += scale dy[m]}. */
  record TableBackward(Value dy, Value ids, Value dw, float scale) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_embedding_weight_bwd(
              d.handle(),
              at.of(dy),
              at.of(ids),
              at.of(dw),
              dy.shape().dim(0),
              dy.shape().dim(1),
              scale,
              dy.dtype().code));
    }
  }

  /** {@code dw[v] = scale Σ dy[m]} over the m with ids[m] = v. */
  record EmbeddingBackward(Value dy, Value ids, @Out Value dw, float scale) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_embedding_bwd(
              d.handle(),
              at.of(dy),
              at.of(ids),
              at.of(dw),
              dy.shape().dim(0),
              dy.shape().dim(1),
              dw.shape().dim(0),
              scale,
              dy.dtype().code));
    }
  }
}
