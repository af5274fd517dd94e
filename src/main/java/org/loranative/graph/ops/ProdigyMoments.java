package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;

/**
 * The first half of a step of Prodigy (Mishchenko and Defazio 2023) over all adapters: updates the
 * means, estimates the distance to the solution, by which {@link Prodigy} then moves the
 * parameters, and zeroes each gradient after reading it. Clips by {@code clip[1]}.
 */
public record ProdigyMoments(
    Value params, Value grads, State state, Value clip, Value step, Setting setting)
    implements Op.Backward {
  /**
   * The state between steps; all but the distance are [n] f32.
   *
   * @param start the parameters that the run began with
   * @param m mean of gradients, v of their squares, both by the distance
   * @param s weighted sum of gradients
   * @param distance [3] f32: the estimate, its numerator, the estimate of the step before
   */
  public record State(Value start, Value m, Value v, Value s, Value distance) {}

  /**
   * @param beta3 decay of the sums that the estimate is made of
   * @param first the estimate at the start
   * @param warmup whether the learning rate rises from 0: the estimate's denominator does not count
   *     it then
   */
  public record Setting(float beta1, float beta2, float beta3, float first, boolean warmup) {}

  public static void of(
      Graph g, Value params, Value grads, State state, Value clip, Setting setting) {
    g.add(new ProdigyMoments(params, grads, state, clip, StepState.value(g), setting));
  }

  @Override
  public long scratchBytes(Device d) {
    return LoraOps.ln_prodigy_moments_scratch(d.handle(), params.shape().size());
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_prodigy_moments_fwd(
            d.handle(),
            at.of(params),
            at.of(grads),
            at.of(state.start()),
            at.of(state.m()),
            at.of(state.v()),
            at.of(state.s()),
            at.of(state.distance()),
            at.of(clip),
            at.of(step),
            at.scratch(),
            params.shape().size(),
            setting.beta1(),
            setting.beta2(),
            setting.beta3(),
            setting.first(),
            setting.warmup() ? 1 : 0));
  }
}
