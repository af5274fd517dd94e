package org.loranative.lora;

import java.util.List;
import java.util.Optional;

/** How the matrices of LoRA begin, as PEFT's init_lora_weights names it. */
public interface LoraInit {
  /** PEFT's own. */
  FreshInit DEFAULT = new KaimingInit();

  /** In settings. */
  String name();

  /**
   * LoRA that begins so.
   *
   * @param plusRatio learning rate of B, relative to A's
   */
  AdapterMethod method(double plusRatio);

  /** The one that settings call so. */
  static Optional<LoraInit> named(String name) {
    List<LoraInit> all = List.of(DEFAULT, new GaussianInit(), new PissaInit(), new OloraInit());
    return all.stream().filter(i -> i.name().equals(name)).findFirst();
  }
}
