package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;

/**
 * CAME (Luo et al. 2023): Adafactor with a mean of its updates, divided by how far they are from
 * it. Clips by {@code clip[1]}, zeroes each gradient after reading it.
 */
public record Came(
    Value params,
    Value grads,
    FactoredMoments moments,
    Value clip,
    Value step,
    MatrixRange range,
    Setting setting)
    implements Op.Backward {
  /**
   * What is kept between steps.
   *
   * @param mean of updates, [n] f32
   * @param squares of the gradients
   * @param residuals squares of the updates' distance from their mean
   */
  public record FactoredMoments(Value mean, FactoredMeans squares, FactoredMeans residuals) {}

  /**
   * @param beta1 decay of the mean, beta2 of squares, beta3 of residuals
   * @param weightDecay decoupled: times the learning rate, on the parameters
   */
  public record Setting(float beta1, float beta2, float beta3, float weightDecay) {}

  public static void of(
      Graph g,
      Value params,
      Value grads,
      FactoredMoments moments,
      Value clip,
      MatrixRange range,
      Setting setting) {
    g.add(new Came(params, grads, moments, clip, StepState.value(g), range, setting));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_came_fwd(
            d.handle(),
            at.of(params),
            at.of(grads),
            at.of(moments.mean()),
            at.of(moments.squares().row()),
            at.of(moments.squares().column()),
            at.of(moments.residuals().row()),
            at.of(moments.residuals().column()),
            at.of(range.table()),
            at.of(clip),
            at.of(step),
            range.first(),
            range.count(),
            range.rate(),
            setting.beta1(),
            setting.beta2(),
            setting.beta3(),
            setting.weightDecay()));
  }
}
