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
 * The loss of a diffusion model: the weighted mean over images of the mean squared (or
 * pseudo-Huber) distance of y from target, and at once its gradient dy. Beside it each image's
 * distance without its weight. y [B·N, C]; target the same in f32; weights [B] f32; loss [1],
 * losses [B] f32; dy absent for evaluation.
 *
 * @param mask [B·N] f32: how much each pixel's distance counts, absent: as 1
 * @param huber c of the pseudo-Huber distance, 0 for the squared
 */
public record Mse(
    Value y,
    Value target,
    Value weights,
    Optional<Value> mask,
    Value step,
    @Out Value loss,
    @Out Value losses,
    @Out Optional<Value> dy,
    float huber)
    implements Loss {
  public Mse {
    Values.require(
        y.shape().size() == target.shape().size() && y.shape().rows() % weights.shape().size() == 0,
        "mse",
        y,
        target,
        weights);
    mask.ifPresent(m -> Values.require(m.shape().size() == y.shape().rows(), "mse", y, target, m));
  }

  /** Appends the op, whose loss and losses are results. */
  public static void of(
      Graph g,
      Value y,
      Value target,
      Value weights,
      Optional<Value> mask,
      float huber,
      boolean withGradient) {
    Value loss = g.temp(Loss.TOTAL, DType.F32, Shape.of(1));
    Value losses = g.temp(Loss.EACH, DType.F32, weights.shape());
    Optional<Value> dy = withGradient ? Optional.of(g.like(y, "d " + y.name())) : Optional.empty();
    g.add(new Mse(y, target, weights, mask, StepState.value(g), loss, losses, dy, huber));
    List.of(loss, losses).forEach(g::result);
  }

  private long images() {
    return weights.shape().size();
  }

  @Override
  public long scratchBytes(Device d) {
    return LoraOps.ln_mse_scratch(d.handle(), images(), y.shape().size() / images());
  }

  @Override
  public void backward(Grads g) {
    g.add(y, dy.orElseThrow());
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_mse_fwd(
            d.handle(),
            at.of(y),
            at.of(target),
            at.of(weights),
            at.of(mask),
            at.of(step),
            at.of(loss),
            at.of(losses),
            at.of(dy),
            at.scratch(),
            images(),
            y.shape().size() / images(),
            y.shape().size() / y.shape().rows(),
            huber,
            y.dtype().code));
  }
}
