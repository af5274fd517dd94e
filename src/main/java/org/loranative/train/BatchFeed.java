package org.loranative.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
final class BatchFeed<B> implements AutoCloseable {
  /** A batch on its way, with the plan that it is for. */
  record Ready<B>(B batch, PlanStore.Bound bound, int slot) {}

  /** Training batches take turns in two slots; validation, which comes between, has its own. */
  private static final int SLOTS = 3;

  private static final int VALIDATION = 2;

  private final Task<B> task;
  private final Device device;
  private final long slotBytes;
  private final HostBuffer host;
  private final Memory memory;
  private int turn;

  /**
   * @param largest graph of the largest batch
   */
  BatchFeed(Task<B> task, Device device, Graph largest) {
    this.task = task;
    this.device = device;
    this.slotBytes = slotBytes(largest);
    this.host = device.pinned(SLOTS * slotBytes);
    this.memory = device.allocate(SLOTS * slotBytes);
  }

  /** Device bytes of a feed for batches of at most this graph's size. */
  static long bytes(Graph largest) {
    return SLOTS * slotBytes(largest);
  }

  private static long slotBytes(Graph graph) {
    return inputs(graph).stream().mapToLong(BatchFeed::padded).sum();
  }

  private static long padded(Value v) {
    return (v.bytes() + 255) / 256 * 256;
  }

  private static java.util.List<Value> inputs(Graph graph) {
    return graph.named().values().stream().filter(v -> v.kind() == Kind.INPUT).toList();
  }

  /** Starts a training batch on its way; at most one may be ahead of the one that computes. */
  Ready<B> training(B batch, PlanStore.Bound bound) {
    turn = 1 - turn;
    return start(batch, bound, turn);
  }

  /** Starts a validation batch; the one before must be done. */
  Ready<B> validation(B batch, PlanStore.Bound bound) {
    return start(batch, bound, VALIDATION);
  }

  private Ready<B> start(B batch, PlanStore.Bound bound, int slot) {
    Graph graph = bound.plan().graph();
    long first = slot * slotBytes;
    task.fill(
        batch,
        bound.shape(),
        name -> {
          long at = first;
          for (Value v : inputs(graph)) {
            if (v.name().equals(name)) {
              return view(at, v.bytes());
            }
            at += padded(v);
          }
          throw new IllegalArgumentException(name);
        });
    device.uploadAhead(memory.address() + first, host, first, slotBytes(graph));
    return new Ready<>(batch, bound, slot);
  }

  private ByteBuffer view(long from, long bytes) {
    return host.view()
        .slice(Math.toIntExact(from), Math.toIntExact(bytes))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Moves a batch to its plan's inputs. */
  void place(Ready<B> ready) {
    device.join();
    long at = memory.address() + ready.slot() * slotBytes;
    for (Value v : inputs(ready.bound().plan().graph())) {
      device.copy(ready.bound().at().of(v), at, v.bytes());
      at += padded(v);
    }
  }

  @Override
  public void close() {
    memory.close();
    host.close();
  }
}
