package org.loranative.graph.ops;

import org.junit.jupiter.api.BeforeAll;

class CudaCheckLossAndOptimizerTest extends LossAndOptimizerChecks {
  @BeforeAll
  static void open() {
    open("cuda-check");
  }
}
