package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;

/**
 * {@link ClampedGlu} whose gate and up are the columns of one projection in turn, the gate first:
 * both [M, 2F], y [M, F]. Nothing is copied to part them.
 */
public record PackedClampedGlu(Value both, @Out Value y, ClampedGlu.Setting setting) implements Op {
  private static final int STEP = 2;

  public PackedClampedGlu {
    Values.require(both.shape().last() == STEP * y.shape().last(), "packed_clamped_glu", both, y);
  }

  public static Value of(Graph g, Value both, ClampedGlu.Setting setting) {
    long columns = both.shape().last() / STEP;
    Value y = g.temp("glu", both.dtype(), Shape.of(both.shape().rows(), columns));
    g.add(new PackedClampedGlu(both, y, setting));
    return y;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads g) {
    Value dboth = g.newGradient(both);
    g.emit(new PackedClampedGluBackward(g.of(y).orElseThrow(), both, dboth, setting));
    g.add(both, dboth);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_clamped_glu_fwd(
            d.handle(),
            at.of(both),
            0,
            at.of(y),
            y.shape().rows(),
            y.shape().last(),
            both.shape().last(),
            STEP,
            setting.alpha(),
            setting.limit(),
            y.dtype().code));
  }

  record PackedClampedGluBackward(
      Value dy, Value both, @Out Value dboth, ClampedGlu.Setting setting) implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_clamped_glu_bwd(
              d.handle(),
              at.of(dy),
              at.of(both),
              0,
              at.of(dboth),
              0,
              dy.shape().rows(),
              dy.shape().last(),
              both.shape().last(),
              STEP,
              setting.alpha(),
              setting.limit(),
              dy.dtype().code));
    }
  }
}
