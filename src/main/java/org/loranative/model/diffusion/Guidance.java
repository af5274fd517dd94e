package org.loranative.model.diffusion;

/** How a model is made to follow its text when it draws. */
public enum Guidance {
  /** It is asked with the text and with another, and led away from that (Ho and Salimans 2022). */
  LED,
  /** It was distilled and is told how far, as one of its inputs (Meng et al. 2023). */
  TOLD,
  /** It was distilled and follows as far as it does. */
  NONE
}
