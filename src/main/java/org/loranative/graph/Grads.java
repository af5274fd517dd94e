package org.loranative.graph;

import java.util.Optional;

/** What an op's backward sees: the gradients so far, and where to put new ones. */
public interface Grads {
  /** Whether anybody needs the gradient of {@code v}; frozen weights are never wanted. */
  boolean wants(Value v);

  /** The gradient that reached an output, if any did. */
  Optional<Value> of(Value output);

  /** The accumulator of a PARAM's gradient, which backward ops add to. */
  Value accumulator(Value param);

  /** Appends a backward op. */
  void emit(Op op);

  /** A temporary of the shape and dtype of {@code v}, for its gradient. */
  Value newGradient(Value v);

  /** An f32 temporary for the gradient of a weight that is made in the graph. */
  Value weightGradient(Value w);

  /**
   * {@code v} for backward to read: what is made of parameters alone is made again, since it is as
   * large as a weight and would wait from forward to backward in each layer; all else as it is.
   */
  Value again(Value v);

  /** Adds {@code dv} to the gradient of {@code v}; nothing may write {@code dv} afterwards. */
  void add(Value v, Value dv);

  /**
   * For an op that can add to its output: takes out the gradient of {@code v} collected so far, if
   * there is one that only {@code v} holds. The op adds to it and gives the sum to {@link #add}.
   */
  Optional<Value> takePartial(Value v);
}
