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
 * AdamW (Loshchilov and Hutter 2019) over all adapters of one learning rate in one launch; clips by
 * {@code clip[1]}, zeroes each gradient after reading it. All of params, grads, m, v are [n] f32
 * and kept between runs.
 */
public record AdamW(
    Value params,
    Value grads,
    Value m,
    Value v,
    Value clip,
    Value step,
    ParameterRange range,
    Setting setting)
    implements Op.Backward {
  /**
   * @param epsilon outside the root
   * @param weightDecay decoupled: times the learning rate, on the parameters
   */
  public record Setting(float beta1, float beta2, float epsilon, float weightDecay) {}

  public static void of(
      Graph g,
      Value params,
      Value grads,
      Value m,
      Value v,
      Value clip,
      ParameterRange range,
      Setting setting) {
    g.add(new AdamW(params, grads, m, v, clip, StepState.value(g), range, setting));
  }

  @Override
  public void run(Device d, Addresses at) {
    long start = range.from() * DType.F32.bytes(1);
    d.check(
        LoraOps.ln_adamw_fwd(
            d.handle(),
            at.of(params) + start,
            at.of(grads) + start,
            at.of(m) + start,
            at.of(v) + start,
            at.of(clip),
            at.of(step),
            range.size(),
            range.rate(),
            setting.beta1(),
            setting.beta2(),
            setting.epsilon(),
            setting.weightDecay()));
  }
}
