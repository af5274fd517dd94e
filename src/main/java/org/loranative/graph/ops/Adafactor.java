package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;

/**
 * Adafactor (Shazeer and Stern 2018) without momentum. Clips by {@code clip[1]}, zeroes each
 * gradient after reading it.
 *
 * @param squares of the gradients
 * @param weightDecay decoupled: times the learning rate, on the parameters
 */
public record Adafactor(
    Value params,
    Value grads,
    FactoredMeans squares,
    Value clip,
    Value step,
    MatrixRange range,
    float weightDecay)
    implements Op.Backward {
  public static void of(
      Graph g,
      Value params,
      Value grads,
      FactoredMeans squares,
      Value clip,
      MatrixRange range,
      float weightDecay) {
    g.add(new Adafactor(params, grads, squares, clip, StepState.value(g), range, weightDecay));
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_adafactor_fwd(
            d.handle(),
            at.of(params),
            at.of(grads),
            at.of(squares.row()),
            at.of(squares.column()),
            at.of(range.table()),
            at.of(clip),
            at.of(step),
            range.first(),
            range.count(),
            range.rate(),
            weightDecay));
  }
}
