package org.loranative.model;

import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;

/**
 * What model code builds with: a graph, the weights it may name and the adapters that some layers
 * have. Names are Hugging Face's module paths.
 *
 * @param compute dtype of activations and of the frozen matrices
 * @param training whether dropout applies
 */
public record Net(
    Graph graph, Weights weights, Adapters adapters, DType compute, boolean training) {

  /** A frozen matrix in the compute dtype. */
  public Value matrix(String name) {
    return graph.named(Kind.WEIGHT, name, compute, weights.shape(name));
  }

  /** A frozen vector (norm weight, bias), always f32. */
  public Value vector(String name) {
    return graph.named(Kind.WEIGHT, name, DType.F32, weights.shape(name));
  }

  /** The linear layer at {@code path}: with its adapter if it has one, its bias if the file has. */
  public Value linear(String path, Value x) {
    Value w0 = matrix(path + ".weight");
    Optional<Value> bias =
        weights.has(path + ".bias") ? Optional.of(vector(path + ".bias")) : Optional.empty();
    return adapters
        .find(path)
        .map(
            m ->
                LoraLinear.of(
                    graph,
                    path,
                    x,
                    w0,
                    bias,
                    adapters.a(graph, m),
                    adapters.b(graph, m),
                    adapters.setting(m, training)))
        .orElseGet(() -> Linear.of(graph, path, x, w0, bias, x.dtype()));
  }

  /** RMSNorm of x, or of x + residual. */
  public RmsNorm.Result norm(String path, Value x, Optional<Value> residual, float eps) {
    return RmsNorm.of(graph, path, x, residual, vector(path + ".weight"), eps);
  }

  /** A small constant the model code computes itself; its owner binds it by name. */
  public Value constant(String name, long size) {
    return graph.named(Kind.STATE, name, DType.F32, Shape.of(size));
  }
}
