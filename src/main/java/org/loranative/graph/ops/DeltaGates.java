package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * How much each head of the delta rule forgets and learns at a token (Yang et al. 2024): {@code g =
 * -exp(aLog) softplus(a + dtBias)} and {@code beta = sigmoid(b)}.
 *
 * @param a [M, H]
 * @param b [M, H]
 * @param aLog [H] f32
 * @param dtBias [H] f32
 * @param g [M, H] f32, the logarithm of what is kept
 * @param beta [M, H] f32
 */
public record DeltaGates(Value a, Value b, Value aLog, Value dtBias, @Out Value g, @Out Value beta)
    implements Op {
  public DeltaGates {
    Values.require(
        a.shape().equals(b.shape())
            && aLog.shape().size() == a.shape().last()
            && dtBias.shape().size() == a.shape().last(),
        "delta_gates",
        a,
        b,
        aLog,
        dtBias);
  }

  public static DeltaGates of(Graph graph, Value a, Value b, Value aLog, Value dtBias) {
    Value g = graph.temp("delta_decay", DType.F32, a.shape());
    Value beta = graph.temp("delta_beta", DType.F32, a.shape());
    DeltaGates gates = new DeltaGates(a, b, aLog, dtBias, g, beta);
    graph.add(gates);
    return gates;
  }

  @Override
  public boolean isCheap() {
    return true;
  }

  @Override
  public void backward(Grads grads) {
    Value da = grads.newGradient(a);
    Value db = grads.newGradient(b);
    grads.emit(
        new DeltaGatesBackward(
            grads.of(g).orElseThrow(), grads.of(beta).orElseThrow(), a, b, aLog, dtBias, da, db));
    grads.add(a, da);
    grads.add(b, db);
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_delta_gates_fwd(
            d.handle(),
            at.of(a),
            at.of(b),
            at.of(aLog),
            at.of(dtBias),
            at.of(g),
            at.of(beta),
            a.shape().rows(),
            a.shape().last(),
            a.dtype().code));
  }

  record DeltaGatesBackward(
      Value dg,
      Value dbeta,
      Value a,
      Value b,
      Value aLog,
      Value dtBias,
      @Out Value da,
      @Out Value db)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_delta_gates_bwd(
              d.handle(),
              at.of(dg),
              at.of(dbeta),
              at.of(a),
              at.of(b),
              at.of(aLog),
              at.of(dtBias),
              at.of(da),
              at.of(db),
              a.shape().rows(),
              a.shape().last(),
              a.dtype().code));
    }
  }
}
