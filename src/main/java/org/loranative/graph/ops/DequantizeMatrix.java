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
 * The numbers that a frozen matrix in blocks stands for.
 *
 * @param w frozen [out, in], in blocks
 * @param y [out, in] in the dtype of the products that read it
 */
record DequantizeMatrix(Value w, @Out Value y) implements Op {
  DequantizeMatrix {
    Values.require(
        w.shape().equals(y.shape()) && w.dtype().isBlocks() && !y.dtype().isBlocks(),
        "dequantize_matrix",
        w,
        y);
  }

  /** Appends the op. */
  static Value of(Graph g, Value w, DType dtype) {
    Value y = g.temp(w.name() + "'", dtype, w.shape());
    g.add(new DequantizeMatrix(w, y));
    return y;
  }

  @Override
  public void backward(Grads g) {
    // w is frozen
  }

  @Override
  public void run(Device d, Addresses at) {
    d.check(
        LoraOps.ln_dequantize_matrix_fwd(
            d.handle(),
            at.of(w),
            at.of(y),
            w.shape().dim(0),
            w.shape().dim(1),
            w.dtype().code,
            y.dtype().code));
  }
}
