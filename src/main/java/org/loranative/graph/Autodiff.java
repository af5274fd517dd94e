package org.loranative.graph;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.graph.ops.Add;
import org.loranative.io.DType;

/** Reverse-mode differentiation: walks the ops backwards; each appends its own backward ops. */
public final class Autodiff implements Grads {
  private final Graph graph;
  private final Map<Value, Value> gradients = new HashMap<>();
  private final Map<Value, Op> makers = new HashMap<>();
  private final Set<Value> wanted = new HashSet<>();

  /** Gradients that stand for more than one value, so nobody may add to them in place. */
  private final Set<Value> shared = new HashSet<>();

  private Autodiff(Graph graph) {
    this.graph = graph;
  }

  /** Appends the backward pass to {@code graph}, whose last ops hold the loss. */
  public static void backward(Graph graph) {
    Autodiff autodiff = new Autodiff(graph);
    List<Graph.Node> forward = List.copyOf(graph.nodes());
    for (Graph.Node node : forward) {
      node.op().outputs().forEach(v -> autodiff.makers.put(v, node.op()));
      if (node.op().inputs().stream().anyMatch(autodiff::wants)) {
        autodiff.wanted.addAll(node.op().outputs());
      }
    }
    for (int i = forward.size() - 1; i >= 0; i--) {
      Op op = forward.get(i).op();
      boolean reached = op.outputs().stream().anyMatch(autodiff.gradients::containsKey);
      if ((reached || op.isLoss()) && op.inputs().stream().anyMatch(autodiff::wants)) {
        op.backward(autodiff);
      }
    }
  }

  @Override
  public boolean wants(Value v) {
    return v.kind() == Kind.PARAM || wanted.contains(v);
  }

  @Override
  public Optional<Value> of(Value output) {
    return Optional.ofNullable(gradients.get(output));
  }

  @Override
  public Value accumulator(Value param) {
    return graph.gradient(param);
  }

  @Override
  public void emit(Op op) {
    graph.add(op);
  }

  @Override
  public Value newGradient(Value v) {
    return graph.like(v, "d " + v.name());
  }

  @Override
  public Value weightGradient(Value w) {
    return graph.temp("d " + w.name(), DType.F32, w.shape());
  }

  @Override
  public Value again(Value v) {
    Op maker = makers.get(v);
    if (maker == null || !maker.inputs().stream().allMatch(x -> x.kind() == Kind.PARAM)) {
      return v;
    }
    Value copy = graph.like(v, v.name() + "'");
    graph.add(maker.rebind(x -> x.equals(v) ? copy : x));
    return copy;
  }

  @Override
  public void add(Value v, Value dv) {
    Value before = gradients.remove(v);
    Value sum = dv;
    if (before != null) {
      sum = newGradient(v);
      graph.add(new Add(before, dv, sum));
    } else if (gradients.containsValue(dv)) {
      shared.add(dv);
    }
    gradients.put(v, sum);
  }

  @Override
  public Optional<Value> takePartial(Value v) {
    Value partial = gradients.get(v);
    if (partial == null || shared.contains(partial)) {
      return Optional.empty();
    }
    gradients.remove(v);
    return Optional.of(partial);
  }
}
