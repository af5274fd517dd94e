package org.loranative.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What is trained, as far as good settings depend on it. Rates of images are the field's for an
 * alpha that is the rank (kohya's and diffusers' guides, which agree once theirs are brought to
 * that scale); the one of small models is measured on this project's.
 */
public enum Subject {
  LANGUAGE(OptimizerDefaults.ADAMW.learningRate(false), List.of()),

  /** Stable Diffusion 1.x and 2.x: the text encoder too, as kohya's scripts do. */
  SD(2e-4, List.of("kohya", Map.of("target", "text-encoder", "learning_rate", 5e-5))),

  /** Stable Diffusion XL: its text encoders are left alone, as is advised. */
  SDXL(1e-4, List.of("all-linear")),

  /** Stable Diffusion 3 and 3.5: both streams of tokens, text encoders left alone. */
  SD3(1e-4, List.of("all-linear")),

  /** FLUX.1: all blocks, text encoders left alone. */
  FLUX(1e-4, List.of("all-linear")),

  /** Chroma: likewise. */
  CHROMA(1e-4, List.of("all-linear")),

  /** Z-Image: likewise. */
  ZIMAGE(1e-4, List.of("all-linear")),

  /** A diffusion model far narrower than these. */
  SMALL_SD(1e-3, List.of("all-linear"));

  final double rate;
  final List<Object> targets;

  Subject(double rate, List<Object> targets) {
    this.rate = rate;
    this.targets = targets;
  }

  /** Of a family of diffusion models, by its name. */
  public static Subject ofFamily(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  /** Whether images are made. */
  public boolean isImages() {
    return this != LANGUAGE;
  }
}
