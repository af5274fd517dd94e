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
 * AdamW that averages over steps instead of lowering the learning rate (Defazio et al. 2024).
 * Gradients are taken at y (the parameters), between the moving z and its average x; x is what was
 * learnt. Clips by {@code clip[1]}, zeroes each gradient after reading it. All of y, grads, z, v
 * are [n] f32 and kept between runs.
 *
 * @param average of {@link ScheduleFreeWeight}
 */
public record ScheduleFreeAdamW(
    Value y,
    Value grads,
    Value z,
    Value v,
    Value average,
    Value clip,
    Value step,
    ParameterRange range,
    AdamW.Setting setting)
    implements Op.Backward {
  public static void of(
      Graph g,
      Value y,
      Value grads,
      Value z,
      Value v,
      Value average,
      Value clip,
      ParameterRange range,
      AdamW.Setting setting) {
    g.add(new ScheduleFreeAdamW(y, grads, z, v, average, clip, StepState.value(g), range, setting));
  }

  @Override
  public void run(Device d, Addresses at) {
    long start = DType.F32.bytes(range.from());
    d.check(
        LoraOps.ln_schedule_free_adamw_fwd(
            d.handle(),
            at.of(y) + start,
            at.of(grads) + start,
            at.of(z) + start,
            at.of(v) + start,
            at.of(average),
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
