package org.loranative.optim;

import java.util.Arrays;
import java.util.List;
import org.loranative.device.LoraOps;
import org.loranative.graph.Value;
import org.loranative.graph.ops.AdamW8bit;
import org.loranative.graph.ops.ParameterRange;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;

/** AdamW with moments of 8 bits in blocks, as bitsandbytes keeps them. */
record AdamW8bitOptimizer(Hyperparameters hyperparameters) implements Optimizer {
  static final String NAME = "adamw8bit";

  /** What a byte can stand for. */
  private static final int CODES = 256;

  @Override
  public List<Slot> slots(Adapters adapters) {
    long n = adapters.floats();
    long blocks = (n + AdamW8bit.BLOCK - 1) / AdamW8bit.BLOCK;
    return List.of(
        Slot.zeros("exp_avg", DType.U8, n),
        Slot.zeros("exp_avg_sq", DType.U8, n),
        Slot.zeros("exp_avg_scale", DType.F32, blocks),
        Slot.zeros("exp_avg_sq_scale", DType.F32, blocks),
        Slot.constant("codes", codes()));
  }

  /** Those of the mean, then those of the squares. */
  private static float[] codes() {
    float[] mean = new float[CODES];
    float[] square = new float[CODES];
    LoraOps.ln_dynamic_codes(mean, square);
    float[] codes = Arrays.copyOf(mean, 2 * CODES);
    System.arraycopy(square, 0, codes, CODES, CODES);
    return codes;
  }

  @Override
  public void append(Update u) {
    List<Value> v = u.slots(this);
    AdamW8bit.QuantizedMoments moments =
        new AdamW8bit.QuantizedMoments(v.get(0), v.get(1), v.get(2), v.get(3), v.get(4));
    for (ParameterRange range : u.ranges()) {
      AdamW8bit.of(
          u.graph(),
          u.params(),
          u.grads(),
          moments,
          u.clip(),
          range,
          AdamWOptimizer.setting(hyperparameters));
    }
  }
}
