package org.loranative.model;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.DoraNorm;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.Weights;

/** How large the frozen weights are that adapters change, as the device holds them. */
public final class WeightNorms {
  private WeightNorms() {}

  /** The lengths of the rows of each adapted weight: those of DoRA with nothing added. */
  public static Graph graph(Weights weights, Adapters adapters, DType compute) {
    Graph graph = new Graph();
    Net net = new Net(graph, weights, adapters, compute, false);
    for (Adapters.Module m : adapters.modules()) {
      if (m.spec().method().replaces()) {
        continue; // the frozen one is not there
      }
      Value a = zeros(graph, Shape.of(1, m.in()));
      long rows = m.out() * Math.max(1, m.target().experts()); // of all matrices
      Value b = zeros(graph, Shape.of(rows, 1));
      graph.result(DoraNorm.of(graph, m.path(), net.weight(m.target()), a, b, 0));
    }
    return graph;
  }

  private static Value zeros(Graph graph, Shape shape) {
    return graph.named(Kind.INPUT, "zeros." + shape, DType.F32, shape);
  }

  /**
   * Frobenius norms by the layer's path.
   *
   * @param graph made by {@link #graph}
   * @param arena that holds its plan
   */
  public static Map<String, Double> measure(
      Device device, Graph graph, Placement placement, Memory arena) {
    Map<String, float[]> inputs = new HashMap<>();
    for (Value v : graph.named().values()) {
      if (v.kind() == Kind.INPUT) {
        inputs.put(v.name(), new float[Math.toIntExact(v.shape().size())]);
      }
    }
    Map<String, Double> norms = new LinkedHashMap<>();
    try (Session session = new Session(device, graph, placement, Optional.of(arena))) {
      session
          .run(inputs)
          .forEach(
              (path, lengths) -> {
                double sum = 0;
                for (float x : lengths) {
                  sum += (double) x * x;
                }
                norms.put(path, Math.sqrt(sum));
              });
    }
    return norms;
  }
}
