package org.loranative.train;

import java.util.Collection;
import java.util.List;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;

/**
 * Brings batches to the device while it computes the one before: a batch is written into pinned
 * memory and copied beside the running plan, then moved to the plan's inputs when its turn comes.
 *
 * @param <B> a micro-batch
 */
public final class BatchFeed<B> implements AutoCloseable {
  /** A batch on its way, with the plan that it is for and where it waits. */
  record Ready<B>(B batch, PlanStore.Bound bound, Slot slot) {}

  /**
   * Where one batch waits: a range of the feed's memory.
   *
   * @param bytes of the largest batch that it is for
   */
  record Slot(long offset, long bytes) {
    private Slot next(long bytes) {
      return new Slot(offset + this.bytes, bytes);
    }
  }

  /**
   * Training batches take turns in two slots; measured ones, which come between, have their own.
   *
   * @param training bytes of the largest training batch's inputs
   * @param evaluation of the largest measured batch's
   */
  public record Sizes(long training, long evaluation) {
    public static Sizes of(RunGraphs graphs) {
      return new Sizes(largest(graphs.training().values()), largest(graphs.evaluation().values()));
    }

    private static long largest(Collection<Graph> graphs) {
      return graphs.stream().mapToLong(BatchFeed::inputBytes).max().orElse(0);
    }

    long total() {
      return 2 * training + evaluation;
    }
  }

  private final Task<B> task;
  private final Device device;
  private final HostBuffer host;
  private final Memory memory;
  private final Slot evaluation;
  private Slot next;
  private Slot afterNext;

  BatchFeed(Task<B> task, Device device, Sizes sizes) {
    this.task = task;
    this.device = device;
    host = device.pinned(sizes.total());
    memory = device.allocate(sizes.total());
    next = new Slot(0, sizes.training());
    afterNext = next.next(sizes.training());
    evaluation = afterNext.next(sizes.evaluation());
  }

  private static long inputBytes(Graph graph) {
    return inputs(graph).stream().mapToLong(BatchFeed::padded).sum();
  }

  private static long padded(Value v) {
    return (v.bytes() + 255) / 256 * 256;
  }

  private static List<Value> inputs(Graph graph) {
    return graph.named().values().stream().filter(v -> v.kind() == Kind.INPUT).toList();
  }

  /** Starts a training batch on its way; at most one may be ahead of the one that computes. */
  Ready<B> training(B batch, PlanStore.Bound bound) {
    Slot slot = next;
    next = afterNext;
    afterNext = slot;
    return start(batch, bound, slot);
  }

  /** Starts a measured batch; the one before must be done. */
  Ready<B> evaluation(B batch, PlanStore.Bound bound) {
    return start(batch, bound, evaluation);
  }

  private Ready<B> start(B batch, PlanStore.Bound bound, Slot slot) {
    Graph graph = bound.plan().graph();
    long bytes = inputBytes(graph);
    // Beyond its slot lies a batch that waits.
    if (bytes > slot.bytes()) {
      throw new IllegalStateException(
          task.shape(batch) + ": inputs of " + bytes + " bytes for a slot of " + slot.bytes());
    }
    task.fill(
        batch,
        name -> {
          long at = slot.offset();
          for (Value v : inputs(graph)) {
            if (v.name().equals(name)) {
              return host.view(at, v.bytes());
            }
            at += padded(v);
          }
          throw new IllegalArgumentException(name);
        });
    device.uploadAhead(memory.address(slot.offset(), bytes), host, slot.offset(), bytes);
    return new Ready<>(batch, bound, slot);
  }

  /** Moves a batch to its plan's inputs. */
  void place(Ready<B> ready) {
    device.join();
    long at = ready.slot().offset();
    for (Value v : inputs(ready.bound().plan().graph())) {
      device.copy(ready.bound().at().of(v), memory.address(at, v.bytes()), v.bytes());
      at += padded(v);
    }
  }

  @Override
  public void close() {
    memory.close();
    host.close();
  }
}
