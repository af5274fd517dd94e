package org.loranative.graph.ops;

import org.junit.jupiter.api.BeforeAll;

class CudaEmulatorLossAndOptimizerTest extends LossAndOptimizerChecks {
  @BeforeAll
  static void open() {
    open("cuda-emu");
  }
}
