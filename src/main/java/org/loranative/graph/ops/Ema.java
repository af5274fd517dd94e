package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;

/**
 * The exponential average of parameters over steps, as diffusers' EMAModel: it begins as a copy
 * after the first step and takes in the larger of a share and 9 / (9 + step) of each later one.
 * Changes nothing where {@code clip[0]} is not finite. Params and average are [n] f32 and kept
 * between runs.
 *
 * @param share 1 − decay
 */
public record Ema(Value params, Value average, Value clip, Value step, float share)
    implements Op.Backward {
  public static void of(Graph g, Value params, Value average, Value clip, float share) {
    g.add(new Ema(params, average, clip, StepState.value(g), share));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_ema_fwd(
            d.handle(),
            at.of(params),
            at.of(average),
            at.of(clip),
            at.of(step),
            params.shape().size(),
            share));
  }
}
