package org.loranative.graph.ops;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.loranative.graph.Grads;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Op;
import org.loranative.graph.Out;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * One description of how an op is used and what it should compute: it serves forward and gradients
 * on every device and in every dtype. The reference is the op's formula as plain loops in f64; its
 * derivative is taken numerically.
 */
public record OpCase(String name, Function<Random, Instance> draw) {
  /** A drawn case: shapes and numbers fixed. */
  public static final class Instance {
    /** Inputs that the reference is differentiated by, in order. */
    final Map<String, float[]> differentiable = new LinkedHashMap<>();

    /** Everything else: frozen weights (f32 or compute dtype), integer inputs. */
    final Map<String, Object> fixed = new LinkedHashMap<>();

    Builder builder = (g, dtype) -> List.of();
    Function<Map<String, double[]>, List<double[]>> reference = x -> List.of();
    String shape = "";

    /** Times the usual tolerance of gradients, where an op rounds something in between. */
    double gradientSlack = 1;
  }

  /** Adds the op to a graph; returns the outputs that carry a gradient. */
  public interface Builder {
    List<Value> build(Graph g, DType dtype);
  }

  /** A differentiable input: a parameter cast to the compute dtype. */
  static Value leaf(Graph g, String name, DType dtype, long... dims) {
    Value p = g.named(Kind.PARAM, name, DType.F32, Shape.of(dims));
    Value x = g.temp(name + ".leaf", dtype, Shape.of(dims));
    g.add(new Leaf(p, x, Optional.empty()));
    return x;
  }

  /** {@code x = cast(p)}; its backward hands the gradient of x out as a result. */
  record Leaf(Value p, Value x, Optional<Value> gradientOf) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(p);
    }

    @Override
    public List<Value> outputs() {
      return List.of(x);
    }

    @Override
    public void backward(Grads g) {
      // The gradient is copied so that it has a name and a place of its own.
      Value dx = g.of(x).orElseThrow();
      Value out = g.newGradient(p);
      g.emit(new Leaf(dx, out, Optional.of(p)));
    }

    @Override
    public Leaf rebind(java.util.function.UnaryOperator<Value> f) {
      return new Leaf(f.apply(p), f.apply(x), gradientOf);
    }

    @Override
    public void run(org.loranative.device.Device d, org.loranative.graph.Addresses at) {
      d.check(
          org.loranative.device.LoraOps.ln_cast_fwd(
              d.handle(), at.of(p), p.dtype().code, at.of(x), x.dtype().code, x.shape().size()));
    }
  }

  /** Ends the forward pass: hands given gradients to the outputs. */
  record Sink(List<Value> outputsOfCase, List<Value> given, @Out List<Value> gradients)
      implements Op {
    @Override
    public boolean isLoss() {
      return true;
    }

    @Override
    public void backward(Grads g) {
      for (int i = 0; i < gradients.size(); i++) {
        g.add(outputsOfCase.get(i), gradients.get(i));
      }
    }

    @Override
    public void run(org.loranative.device.Device d, org.loranative.graph.Addresses at) {
      for (int i = 0; i < gradients.size(); i++) {
        Value from = given.get(i);
        Value to = gradients.get(i);
        d.check(
            org.loranative.device.LoraOps.ln_cast_fwd(
                d.handle(), at.of(from), 0, at.of(to), to.dtype().code, to.shape().size()));
      }
    }
  }
}
