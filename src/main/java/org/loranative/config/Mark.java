package org.loranative.config;

/** What others than the reader need to know of a setting. */
public enum Mark {
  /** It says where or when a run was, not how it learns: comparisons of runs leave it out. */
  PLACE,

  /** What it names must be the same when a run is resumed; its spelling may change. */
  SAME_CONTENT,

  /** A resumed run must have the same value. */
  SAME_VALUE,

  /** The same, since a checkpoint's tensors depend on it. */
  LAYOUT
}
