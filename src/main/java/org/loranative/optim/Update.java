package org.loranative.optim;

import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.GlobalNorm;
import org.loranative.graph.ops.ParameterRange;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;

/**
 * The graph of an optimizer step, as an optimizer appends to it.
 *
 * @param clip the gradients' norm and the factor that clips them
 */
public record Update(Graph graph, Adapters adapters, Value clip) {
  /**
   * A step over all adapters: norm, clip, what the optimizer does, and the copies that the next
   * step reads.
   *
   * @param compute dtype of the products that read the adapters
   * @param maxGradNorm 0 for no clipping
   */
  public static Graph of(Optimizer optimizer, Adapters adapters, DType compute, float maxGradNorm) {
    Graph g = new Graph();
    Value grads = AdapterState.value(g, AdapterState.GRADS, adapters);
    optimizer.append(new Update(g, adapters, GlobalNorm.of(g, grads, maxGradNorm)));
    AdapterState.appendCopies(g, adapters, compute);
    return g;
  }

  Value params() {
    return AdapterState.value(graph, AdapterState.PARAMS, adapters);
  }

  Value grads() {
    return AdapterState.value(graph, AdapterState.GRADS, adapters);
  }

  /** The optimizer's slots, in their order. */
  List<Value> slots(Optimizer optimizer) {
    return optimizer.slots(adapters).stream().map(s -> AdapterState.value(graph, s)).toList();
  }

  /** Stretches that learn at different rates. */
  List<ParameterRange> ranges() {
    return adapters.ranges().stream()
        .map(r -> new ParameterRange(r.from(), r.size(), (float) r.rate()))
        .toList();
  }
}
