package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How a sampler's steps are spread over the timesteps of training (Lin et al. 2024, table 2). */
public enum Spacing {
  LEADING,
  LINSPACE,
  TRAILING;

  /** Its name in configs of diffusers. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Spacing> named(String label) {
    return Stream.of(values()).filter(s -> s.label().equals(label)).findFirst();
  }
}
