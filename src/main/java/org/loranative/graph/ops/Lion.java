package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Lion (Chen et al. 2023) over all adapters of one learning rate in one launch: every number moves
 * by the learning rate, up or down. Clips by {@code clip[1]}, zeroes each gradient after reading
 * it. All of params, grads, m are [n] f32 and kept between runs.
 */
public record Lion(
    Value params,
    Value grads,
    Value m,
    Value clip,
    Value step,
    ParameterRange range,
    Setting setting)
    implements Op.Backward {
  /**
   * @param beta1 of the mean that gives the direction
   * @param beta2 of the mean that is kept
   * @param weightDecay decoupled: times the learning rate, on the parameters
   */
  public record Setting(float beta1, float beta2, float weightDecay) {}

  public static void of(
      Graph g,
      Value params,
      Value grads,
      Value m,
      Value clip,
      ParameterRange range,
      Setting setting) {
    g.add(new Lion(params, grads, m, clip, StepState.value(g), range, setting));
  }

  @Override
  public void run(Device d, Addresses at) {
    long start = DType.F32.bytes(range.from());
    d.check(
        LoraOps.ln_lion_fwd(
            d.handle(),
            at.of(params) + start,
            at.of(grads) + start,
            at.of(m) + start,
            at.of(clip),
            at.of(step),
            range.size(),
            range.rate(),
            setting.beta1(),
            setting.beta2(),
            setting.weightDecay()));
  }
}
