package org.loranative.lora;

import org.loranative.graph.Shape;

/** B begins as zeros, so the model as it is. */
public interface FreshInit extends LoraInit {
  /** What A [rank, in] holds at first. */
  Part.Start start(Shape a);

  @Override
  default AdapterMethod method(double plusRatio) {
    return new LowRankMethod(this, plusRatio);
  }
}
