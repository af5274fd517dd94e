package org.loranative.model.weights;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Shape;
import org.loranative.io.TensorEntry;

/** Weights that are put together of tensors of the file, or of parts of some. */
final class Stacks {
  /**
   * A weight, one piece behind the other.
   *
   * @param shape of the whole
   * @param order where its rows are among those of the pieces; of experts, each has its own
   */
  record Stack(List<String> pieces, Shape shape, Order order) {
    Stack {
      pieces = List.copyOf(pieces);
    }
  }

  private final Map<String, Stack> stacks = new HashMap<>();
  private final Map<String, TensorEntry> slices = new HashMap<>();

  void add(String name, Stack stack) {
    stacks.put(name, stack);
  }

  Optional<Stack> find(String name) {
    return Optional.ofNullable(stacks.get(name));
  }

  boolean has(String name) {
    return stacks.containsKey(name);
  }

  /** The tensors that {@code name} is made of: itself, of one that is no stack. */
  List<String> pieces(String name) {
    return has(name) ? stacks.get(name).pieces() : List.of(name);
  }

  /** Which row of {@code name} each row of its pieces is. */
  Order order(String name) {
    return has(name) ? stacks.get(name).order() : Order.SAME;
  }

  /** Names of the matrices of a tensor [E, …], each to be read as a tensor of its own. */
  List<String> slices(String name, TensorEntry whole) {
    List<String> names = new ArrayList<>();
    int count = Math.toIntExact(whole.shape().get(0));
    long bytes = whole.bytes() / count;
    for (int i = 0; i < count; i++) {
      String slice = name + "[" + i + "]";
      slices.put(
          slice,
          new TensorEntry(
              whole.name(),
              whole.type(),
              whole.shape().subList(1, whole.shape().size()),
              whole.file(),
              whole.offset() + i * bytes,
              bytes));
      names.add(slice);
    }
    return names;
  }

  /** The name of some rows of a matrix, to be read as a tensor of its own. */
  String slice(String name, TensorEntry whole, long first, long rows) {
    String slice = name + "[" + first + "," + (first + rows) + ")";
    long rowBytes = whole.bytes() / whole.rows();
    slices.put(
        slice,
        new TensorEntry(
            whole.name(),
            whole.type(),
            List.of(rows, whole.columns()),
            whole.file(),
            whole.offset() + first * rowBytes,
            rows * rowBytes));
    return slice;
  }

  Optional<TensorEntry> slice(String name) {
    return Optional.ofNullable(slices.get(name));
  }
}
