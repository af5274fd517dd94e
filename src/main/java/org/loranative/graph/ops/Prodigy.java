package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;

/**
 * The second half of a step of Prodigy (Mishchenko and Defazio 2023): moves the parameters by the
 * means and the distance that {@link ProdigyMoments} has left.
 *
 * @param weightDecay decoupled: times learning rate and distance, on the parameters
 */
public record Prodigy(
    Value params,
    ProdigyMoments.State state,
    Value clip,
    Value step,
    float epsilon,
    float weightDecay)
    implements Op.Backward {
  public static void of(
      Graph g,
      Value params,
      ProdigyMoments.State state,
      Value clip,
      float epsilon,
      float weightDecay) {
    g.add(new Prodigy(params, state, clip, StepState.value(g), epsilon, weightDecay));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_prodigy_fwd(
            d.handle(),
            at.of(params),
            at.of(state.m()),
            at.of(state.v()),
            at.of(state.distance()),
            at.of(clip),
            at.of(step),
            params.shape().size(),
            epsilon,
            weightDecay));
  }
}
