package org.loranative.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.io.DType;
import org.loranative.io.Numbers;

/** Looks for the op that first makes a number of what is none. */
public final class NotFinite {
  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.F16, DType.BF16);

  private NotFinite() {}

  /**
   * Runs a plan, whose inputs are placed, op by op.
   *
   * @return the first op with an infinite or undefined number among its outputs, and the layer that
   *     it belongs to; empty if there is none
   */
  public static Optional<String> firstOp(Device device, Plan plan, Addresses at) {
    for (int i = 0; i < plan.ops().size(); i++) {
      Op op = plan.ops().get(i);
      op.run(device, at);
      for (Value v : op.outputs()) {
        if (FLOATS.contains(v.dtype())
            && !op.unfinished().contains(v)
            && !isFinite(device, v, at.of(v))) {
          String block = plan.graph().nodes().get(i).block();
          return Optional.of(
              op.name() + " (" + v.name() + (block.isEmpty() ? ")" : ", " + block + ")"));
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isFinite(Device device, Value v, long at) {
    try (HostBuffer host = new HostBuffer(v.bytes())) {
      device.download(host, at, v.bytes());
      return isFinite(host.view(), v.dtype());
    }
  }

  /** Whether none of these numbers is NaN or infinite. */
  public static boolean areFinite(float[] numbers) {
    return areFinite(numbers, numbers.length);
  }

  /** Likewise. */
  public static boolean areFinite(Numbers numbers) {
    return numbers.every(NotFinite::areFinite);
  }

  private static boolean areFinite(float[] numbers, int count) {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(numbers[i])) {
        return false;
      }
    }
    return true;
  }

  /** Whether no exponent of these numbers, little-endian and of one type, has all its bits set. */
  public static boolean isFinite(ByteBuffer numbers, DType dtype) {
    int exponent = dtype == DType.F16 ? 0x7c00 : 0x7f80; // of the upper two bytes
    int size = dtype == DType.F32 ? 4 : 2;
    ByteBuffer bytes = numbers.slice().order(ByteOrder.LITTLE_ENDIAN);
    for (int i = size - 2; i + 2 <= bytes.limit(); i += size) {
      if ((bytes.getShort(i) & exponent) == exponent) {
        return false;
      }
    }
    return true;
  }
}
