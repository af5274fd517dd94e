package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What the model of a noised image predicts. */
public enum Prediction {
  /** The noise (Ho et al. 2020). */
  EPSILON,
  /** The velocity √α ε − √(1 − α) x (Salimans &amp; Ho 2022). */
  V_PREDICTION;

  /** Its name for users and in configs of diffusers. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Prediction> named(String label) {
    return Stream.of(values()).filter(p -> p.label().equals(label)).findFirst();
  }
}
