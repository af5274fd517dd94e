package org.loranative.lora;

import java.util.List;
import java.util.Optional;
import org.loranative.graph.Shape;

/** How the matrices of LoRA begin, as PEFT's init_lora_weights names it. */
public interface LoraInit {
  /** PEFT's own. */
  LoraInit DEFAULT = new KaimingInit();

  /** In settings. */
  String name();

  /** What A [rank, in] holds at first; B holds zeros. */
  Part.Start start(Shape a);

  /** The one that settings call so. */
  static Optional<LoraInit> named(String name) {
    return List.of(DEFAULT, new GaussianInit()).stream()
        .filter(i -> i.name().equals(name))
        .findFirst();
  }
}
