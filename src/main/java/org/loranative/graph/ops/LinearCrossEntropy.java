package org.loranative.graph.ops;

import java.util.List;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Head and loss in one: {@code loss = Σ −log softmax(cap(h Wᵀ))[label] / labelled}, and at once its
 * gradient dh, over rows with a label only. Beside it each row's own loss (0 without a label), and
 * the share of labelled rows whose label has the largest logit. h [M, C], w [V, C], labels [M] i32
 * (negative: none); loss [1], losses [M], accuracy [1] f32; dh [M, C] (absent for evaluation); dw
 * [V, C] f32, added to (absent where the head is frozen). Logits exist for {@code chunk} rows at a
 * time; 0: as many as the device finds good.
 */
public record LinearCrossEntropy(
    Value h,
    Value w,
    Value labels,
    Value step,
    @Out Value loss,
    @Out Value losses,
    @Out Value accuracy,
    @Out Optional<Value> dh,
    Optional<Value> dw,
    float softcap,
    long chunk)
    implements Loss {
  /** Name of the result accuracy. */
  public static final String ACCURACY = "token_accuracy";

  /** Appends the op under a frozen head; its loss, losses and accuracy are results. */
  public static void of(
      Graph g, Value h, Value w, Value labels, float softcap, boolean withGradient) {
    of(g, h, w, Optional.empty(), labels, softcap, withGradient);
  }

  /**
   * Likewise.
   *
   * @param trained the parameter that w is made of, if the head is trained
   */
  public static void of(
      Graph g,
      Value h,
      Value w,
      Optional<Value> trained,
      Value labels,
      float softcap,
      boolean withGradient) {
    Value loss = g.temp(Loss.TOTAL, DType.F32, Shape.of(1));
    Value losses = g.temp(Loss.EACH, DType.F32, labels.shape());
    Value accuracy = g.temp(ACCURACY, DType.F32, Shape.of(1));
    Optional<Value> dh = withGradient ? Optional.of(g.like(h, "d " + h.name())) : Optional.empty();
    Optional<Value> dw = withGradient ? trained.map(g::gradient) : Optional.empty();
    g.add(
        new LinearCrossEntropy(
            h, w, labels, StepState.value(g), loss, losses, accuracy, dh, dw, softcap, 0));
    List.of(loss, losses, accuracy).forEach(g::result);
  }

  @Override
  public long scratchBytes(Device d) {
    return LoraOps.ln_linear_cross_entropy_scratch(
        d.handle(),
        h.shape().rows(),
        w.shape().dim(1),
        w.shape().dim(0),
        chunk,
        w.dtype().code,
        h.dtype().code,
        dh.isPresent() ? 1 : 0);
  }

  @Override
  public void backward(Grads g) {
    g.add(h, dh.orElseThrow());
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_linear_cross_entropy_fwd(
            d.handle(),
            at.of(h),
            at.of(w),
            at.of(labels),
            at.of(step),
            at.of(loss),
            at.of(losses),
            at.of(accuracy),
            at.of(dh),
            at.of(dw),
            at.scratch(),
            h.shape().rows(),
            w.shape().dim(1),
            w.shape().dim(0),
            softcap,
            chunk,
            w.dtype().code,
            h.dtype().code));
  }
}
