package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;

/**
 * How much a step counts in the average over steps that {@link ScheduleFreeAdamW} keeps: its share,
 * by the square of the highest learning rate so far. average is [3] f32: that rate, the sum of all
 * weights, the share.
 */
public record ScheduleFreeWeight(Value average, Value clip, Value step) implements Op.Backward {
  public static void of(Graph g, Value average, Value clip) {
    g.add(new ScheduleFreeWeight(average, clip, StepState.value(g)));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_schedule_free_weight_fwd(d.handle(), at.of(average), at.of(clip), at.of(step)));
  }
}
