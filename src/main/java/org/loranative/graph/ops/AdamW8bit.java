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
 * {@link AdamW} with moments of 8 bits in blocks of 256 that share a scale (Dettmers et al. 2022):
 * a quarter of their memory.
 */
public record AdamW8bit(
    Value params,
    Value grads,
    QuantizedMoments moments,
    Value clip,
    Value step,
    ParameterRange range,
    AdamW.Setting setting)
    implements Op.Backward {
  /** Numbers that share a scale. */
  public static final int BLOCK = ParameterRange.ALIGNMENT;

  /**
   * The state between steps.
   *
   * @param m [n] u8, v likewise
   * @param mScale [n / 256, rounded up] f32, vScale likewise
   * @param codes [512] f32: what the 256 values of m stand for, then those of v
   */
  public record QuantizedMoments(Value m, Value v, Value mScale, Value vScale, Value codes) {}

  public static void of(
      Graph g,
      Value params,
      Value grads,
      QuantizedMoments moments,
      Value clip,
      ParameterRange range,
      AdamW.Setting setting) {
    assert range.from() % BLOCK == 0 : range;
    g.add(new AdamW8bit(params, grads, moments, clip, StepState.value(g), range, setting));
  }

  @Override
  public void run(Device d, Addresses at) {
    long start = DType.F32.bytes(range.from());
    long scale = DType.F32.bytes(range.from() / BLOCK);
    d.check(
        LoraOps.ln_adamw8bit_fwd(
            d.handle(),
            at.of(params) + start,
            at.of(grads) + start,
            at.of(moments.m()) + range.from(),
            at.of(moments.v()) + range.from(),
            at.of(moments.mScale()) + scale,
            at.of(moments.vScale()) + scale,
            at.of(moments.codes()),
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
