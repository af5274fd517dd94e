package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * Norm of all gradients and the factor that clips them: out = [norm, min(1, maxNorm / (norm +
 * 1e-6)) / lossScale]; maxNorm 0 never clips. The norm is that of the gradients without their loss
 * scale.
 */
public record GlobalNorm(Value grads, Value step, @Out Value out, float maxNorm)
    implements Op.Backward {
  public static Value of(Graph g, Value grads, float maxNorm) {
    Value out = g.temp("grad_norm", DType.F32, Shape.of(2));
    g.add(new GlobalNorm(grads, StepState.value(g), out, maxNorm));
    g.result(out);
    return out;
  }

  @Override
  public long scratchBytes(Device d) {
    return LoraOps.ln_global_norm_scratch(d.handle(), grads.shape().size());
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_global_norm_fwd(
            d.handle(),
            at.of(grads),
            at.of(step),
            at.of(out),
            at.scratch(),
            grads.shape().size(),
            maxNorm));
  }
}
