package org.loranative.graph.ops;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
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
 * @param huber c of the pseudo-Huber distance, 0 for the squared
 */
public record Mse(
    Value y,
    Value target,
    Value weights,
    Value step,
    Value loss,
    Value losses,
    Optional<Value> dy,
    float huber)
    implements Loss {
  public Mse {
    Values.require(
        y.shape().size() == target.shape().size() && y.shape().rows() % weights.shape().size() == 0,
        "mse",
        y,
        target,
        weights);
  }

  /** Appends the op, whose loss and losses are results. */
  public static void of(
      Graph g, Value y, Value target, Value weights, float huber, boolean withGradient) {
    Value loss = g.temp(Loss.TOTAL, DType.F32, Shape.of(1));
    Value losses = g.temp(Loss.EACH, DType.F32, weights.shape());
    Optional<Value> dy = withGradient ? Optional.of(g.like(y, "d " + y.name())) : Optional.empty();
    g.add(new Mse(y, target, weights, StepState.value(g), loss, losses, dy, huber));
    List.of(loss, losses).forEach(g::result);
  }

  @Override
  public List<Value> inputs() {
    return List.of(y, target, weights, step);
  }

  @Override
  public List<Value> outputs() {
    return Values.list(loss, losses, dy);
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
  public Mse rebind(UnaryOperator<Value> f) {
    return new Mse(
        f.apply(y),
        f.apply(target),
        f.apply(weights),
        f.apply(step),
        f.apply(loss),
        f.apply(losses),
        dy.map(f),
        huber);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_mse_fwd(
            d.handle(),
            at.of(y),
            at.of(target),
            at.of(weights),
            at.of(step),
            at.of(loss),
            at.of(losses),
            at.of(dy),
            at.scratch(),
            images(),
            y.shape().size() / images(),
            huber,
            y.dtype().code));
  }
}
