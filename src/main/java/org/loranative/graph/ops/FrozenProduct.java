package org.loranative.graph.ops;

import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Op;
import org.loranative.graph.Value;

/** An op that multiplies rows with a frozen matrix, or with its transpose. */
interface FrozenProduct extends Op {
  /** The matrix, [out, in]. */
  Value w0();

  /** The rows, [M, in or out]; none where nobody wants the product. */
  Optional<Value> multiplied();

  /**
   * Whether {@code d} is faster when this product and one in the other direction read numbers that
   * {@link DequantizeMatrix} has made of the matrix, with the same bits.
   */
  default boolean shares(Device d) {
    Value w = w0();
    return w.dtype().isBlocks()
        && multiplied().isPresent()
        && LoraOps.ln_linear_shares(
                d.handle(),
                multiplied().orElseThrow().shape().rows(),
                w.shape().dim(1),
                w.shape().dim(0),
                w.dtype().code,
                multiplied().orElseThrow().dtype().code)
            == 1;
  }
}
