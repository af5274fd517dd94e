package org.loranative.graph;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.loranative.device.Device;

/**
 * One step of a graph: a record that names its values and knows its native call and its backward.
 * Those that it makes are marked {@link Out}. Not sealed: nobody may switch over ops.
 */
public interface Op {
  /** What it reads, values it adds to included. */
  default List<Value> inputs() {
    return Held.read(this);
  }

  /** What it makes. What backward needs later (rstd, lse) is an ordinary output. */
  default List<Value> outputs() {
    return Held.made(this);
  }

  /** Appends the ops of its backward; asks {@link Grads#wants} first. */
  void backward(Grads g);

  /** The same op over other values. */
  default Op rebind(UnaryOperator<Value> f) {
    return (Op) Held.rebound(this, f);
  }

  /** Exactly one native call. */
  void run(Device device, Addresses at);

  /** Scratch this call needs on {@code device}; all ops of a plan share the largest. */
  default long scratchBytes(Device device) {
    return 0;
  }

  /** Outputs that may, or must, take the place of an input that nobody reads afterwards. */
  default List<Reuse> reuses() {
    return List.of();
  }

  /**
   * This op and {@code next}, which follows it, as one, if it can do that in its epilogue. Outputs
   * of this op that are not the joined op's are read by {@code next} alone.
   */
  default Optional<Op> fused(Op next) {
    return Optional.empty();
  }

  /** Likewise {@code before} and this op, if this can do it as it reads. */
  default Optional<Op> fusedBehind(Op before) {
    return Optional.empty();
  }

  /** Outputs of which other ops make the rest, or nobody: what lies there is unspecified. */
  default List<Value> unfinished() {
    return List.of();
  }

  /** Whether this op ends the forward pass and needs no gradient to start backward. */
  default boolean isLoss() {
    return false;
  }

  /** Whether computing it again costs little beside keeping its outputs (norms, activations). */
  default boolean isCheap() {
    return false;
  }

  /** The name under which it appears in plans and errors. */
  default String name() {
    return getClass()
        .getSimpleName()
        .replaceAll("(?<=[a-z])(?=[A-Z])", "_")
        .toLowerCase(Locale.ROOT);
  }

  /** {@code output} takes the place of {@code input}; {@code required} when the op adds to it. */
  record Reuse(Value output, Value input, boolean required) {}

  /** An op of a backward pass: nothing goes back through it. */
  interface Backward extends Op {
    @Override
    default void backward(Grads g) {
      throw new UnsupportedOperationException(name() + " has no second derivative");
    }
  }
}
