package org.loranative.graph.ops;

import org.loranative.device.LoraOps;

/** Activation functions; {@code code} is that of {@code lora_ops.h}. */
public enum Act {
  SILU(LoraOps.LN_SILU),
  GELU_TANH(LoraOps.LN_GELU_TANH),
  GELU(LoraOps.LN_GELU),
  QUICK_GELU(LoraOps.LN_QUICK_GELU),
  TANH(LoraOps.LN_TANH),
  SIGMOID(LoraOps.LN_SIGMOID);

  final int code;

  Act(int code) {
    this.code = code;
  }
}
