package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * What the adapters of layers that read the same x make of it, {@code xa = s x Aᵀ}, side by side: x
 * is read once where their A lie one behind the other, and once for all their gradients. {@link
 * LoraUp} is what each layer does with its columns.
 *
 * @param x activations [M, in]
 * @param adapters A [rank, in] of each
 * @param xa [M, the sum of ranks each rounded up to 8]
 * @param scale alpha / rank, or alpha / √rank
 */
public record LoraDown(Value x, List<LowRank> adapters, @Out Value xa, float scale) implements Op {
  /** Layers that the native call knows at most. */
  public static final int MOST = 4;

  public LoraDown {
    Values.require(
        adapters.size() <= MOST
            && adapters.stream()
                .allMatch(a -> a.in() == x.shape().last() && a.readA().dtype() == x.dtype()),
        "lora down",
        x,
        adapters);
  }

  static LoraDown of(Graph g, String name, Value x, List<LowRank> adapters, float scale) {
    long columns = adapters.stream().mapToLong(LoraDown::room).sum();
    Value xa = g.temp(name + ".xa", x.dtype(), Shape.of(x.shape().rows(), columns));
    LoraDown op = new LoraDown(x, List.copyOf(adapters), xa, scale);
    g.add(op);
    return op;
  }

  /** Columns that an adapter has in xa, in every dtype. */
  static long room(LowRank adapter) {
    return LowRank.pitch(adapter.rank(), DType.BF16);
  }

  /** Where each adapter's columns begin. */
  List<Long> starts() {
    List<Long> starts = new ArrayList<>();
    long at = 0;
    for (LowRank a : adapters) {
      starts.add(at);
      at += room(a);
    }
    return starts;
  }

  @Override
  public void backward(Grads g) {
    g.emit(
        new LoraDownBackward(
            g.of(xa).orElseThrow(),
            x,
            adapters,
            adapters.stream().map(a -> g.accumulator(a.a())).toList()));
  }

  /** As {@link LoraLinear}'s. */
  @Override
  public List<Value> unfinished() {
    boolean gaps = adapters.stream().anyMatch(a -> a.leavesGaps(x.dtype()));
    return gaps ? List.of(xa) : List.of();
  }

  /** One product for neighbours in memory. */
  @Override
  public void run(Device d, Addresses at) {
    List<Long> starts = starts();
    int first = 0;
    for (int i = 1; i <= adapters.size(); i++) {
      if (i < adapters.size() && follows(at, adapters.get(i - 1), adapters.get(i))) {
        continue;
      }
      LowRank last = adapters.get(i - 1);
      long columns = starts.get(i - 1) - starts.get(first) + last.readA().shape().rows();
      d.check(
          LoraOps.ln_lora_down_fwd(
              d.handle(),
              at.of(x),
              at.of(adapters.get(first).readA()),
              at.of(xa) + xa.dtype().bytes(starts.get(first)),
              x.shape().rows(),
              x.shape().last(),
              columns,
              xa.shape().last(),
              scale,
              x.dtype().code));
      first = i;
    }
  }

  private static boolean follows(Addresses at, LowRank before, LowRank next) {
    return before.readA().shape().rows() == room(before)
        && at.of(next.readA()) == at.of(before.readA()) + before.readA().bytes();
  }

  /** {@code dA += dxaᵀ x} of all. */
  record LoraDownBackward(Value dxa, Value x, List<LowRank> adapters, List<Value> gradients)
      implements Backward {
    @Override
    public void run(Device d, Addresses at) {
      d.check(
          LoraOps.ln_lora_down_bwd(
              d.handle(),
              at.of(dxa),
              at.of(x),
              gradient(at, 0),
              gradient(at, 1),
              gradient(at, 2),
              gradient(at, 3),
              x.shape().rows(),
              x.shape().last(),
              rank(0),
              rank(1),
              rank(2),
              rank(3),
              x.dtype().code));
    }

    private long gradient(Addresses at, int i) {
      return i < gradients.size() ? at.of(gradients.get(i)) : 0;
    }

    private long rank(int i) {
      return i < adapters.size() ? adapters.get(i).rank() : 0;
    }
  }
}
