package org.loranative.model;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.ExpertBias;
import org.loranative.graph.ops.ExpertLinear;
import org.loranative.graph.ops.GroupNorm;
import org.loranative.graph.ops.LayerNorm;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.RmsNorm;
import org.loranative.graph.ops.Routed;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.Weights;

/**
 * What model code builds with: a graph, the weights it may name and the adapters that some layers
 * have. Names are Hugging Face's module paths.
 *
 * @param compute dtype of activations and of the frozen matrices
 * @param training whether dropout applies
 */
public record Net(
    Graph graph, Weights weights, Adapters adapters, DType compute, boolean training) {

  /** A frozen matrix, in the compute dtype or in blocks. */
  public Value matrix(String name) {
    return graph.named(Kind.WEIGHT, name, weights.matrixType(name, compute), weights.shape(name));
  }

  /** The weight in f32 that stands in place of the frozen one at {@code path}, if it is trained. */
  public Optional<Value> trained(String path) {
    return adapters.whole(graph, path, training);
  }

  /** A frozen array that rows are picked from, never in blocks. */
  public Value table(String name) {
    return graph.named(Kind.WEIGHT, name, compute, weights.shape(name));
  }

  /** A frozen vector (norm weight, bias), always f32. */
  public Value vector(String name) {
    return graph.named(Kind.WEIGHT, name, DType.F32, weights.shape(name));
  }

  /** The linear layer at {@code path}: with its adapter if it has one, its bias if the file has. */
  public Value linear(String path, Value x) {
    Value w0 = matrix(path + ".weight");
    Optional<Value> bias = bias(path);
    return adapters
        .linear(graph, path, x, w0, bias, training)
        .orElseGet(() -> Linear.of(graph, path, x, w0, bias, x.dtype()));
  }

  /**
   * Linear layers that read the same x, each as {@link #linear}: their adapters read it together.
   * Every output must be read.
   */
  public List<Value> linears(Value x, List<String> paths) {
    return readers(x, paths).stream().map(Supplier::get).toList();
  }

  /**
   * Likewise, each appended where its output is asked for: once, and all of them. For layers that
   * stand between those that read something else.
   */
  public List<Supplier<Value>> readers(Value x, List<String> paths) {
    List<Adapters.Layer> layers =
        paths.stream().map(p -> new Adapters.Layer(p, matrix(p + ".weight"), bias(p))).toList();
    return adapters.linears(
        graph,
        x,
        layers,
        training,
        l -> Linear.of(graph, l.path(), x, l.w0(), l.bias(), x.dtype()));
  }

  /**
   * The layers of a mixture's experts at {@code path}, with their adapters and biases if they have
   * some.
   *
   * @param x [rows, in] in the order of experts
   */
  public Value experts(String path, Value x, Routed route) {
    Value w = matrix(path + ".weight");
    Value y =
        adapters
            .experts(graph, path, x, w, route, training)
            .orElseGet(() -> ExpertLinear.of(graph, path, x, w, route));
    return bias(path).map(b -> ExpertBias.of(graph, path + ".biased", y, b, route)).orElse(y);
  }

  /** The convolution at {@code path}: with its adapter if it has one, its bias if the file has. */
  public Value conv(String path, Value x, Conv2d.Setting setting) {
    Value w = kernel(path + ".weight", setting.kernel());
    Optional<Value> bias = bias(path);
    return adapters
        .convolution(graph, path, x, w, bias, setting, training)
        .orElseGet(() -> Conv2d.of(graph, path, x, w, bias, setting));
  }

  /** A frozen convolution's weight, [out, kernel, kernel, in] in the compute dtype. */
  private Value kernel(String name, long kernel) {
    Shape file = weights.shape(name);
    return graph.named(
        Kind.WEIGHT, name, compute, Shape.of(file.dim(0), kernel, kernel, file.dim(1)));
  }

  /** The frozen weight of a layer that can be adapted. */
  public Value weight(Adapters.Target layer) {
    String name = layer.path() + ".weight";
    return layer.kernel() == 1 ? matrix(name) : kernel(name, layer.kernel());
  }

  /** The bias of the layer at {@code path}, if the file has one. */
  public Optional<Value> bias(String path) {
    return weights.has(path + ".bias") ? Optional.of(vector(path + ".bias")) : Optional.empty();
  }

  /** Layer norm with the weight and bias at {@code path}. */
  public Value layerNorm(String path, Value x, float eps) {
    return LayerNorm.of(graph, path, x, vector(path + ".weight"), vector(path + ".bias"), eps);
  }

  /** Group norm with the weight and bias at {@code path}. */
  public Value groupNorm(String path, Value x, GroupNorm.Setting setting) {
    return GroupNorm.of(graph, path, x, vector(path + ".weight"), vector(path + ".bias"), setting);
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
