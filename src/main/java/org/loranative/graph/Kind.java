package org.loranative.graph;

/** What a value is for, which decides where it lives. */
public enum Kind {
  /** Written by the host before each run; lives in the arena. */
  INPUT,
  /** Frozen; lives in the weights allocation or a mapped file. */
  WEIGHT,
  /** Trained; lives in the state allocation. */
  PARAM,
  /** Gradient of a PARAM, added to by backward; lives in the state allocation. */
  GRAD,
  /** Kept between runs (optimizer, step, key-value caches); bound by its owner. */
  STATE,
  /** Made and used within a run; lives in the arena. */
  TEMP
}
