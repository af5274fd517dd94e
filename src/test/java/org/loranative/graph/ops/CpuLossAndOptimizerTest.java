package org.loranative.graph.ops;

import org.junit.jupiter.api.BeforeAll;

class CpuLossAndOptimizerTest extends LossAndOptimizerChecks {
  @BeforeAll
  static void open() {
    open("cpu");
  }
}
