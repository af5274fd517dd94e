package org.loranative.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.io.DType;

/** A list of ops, described by ordinary Java code once for each batch shape. */
public final class Graph {
  /** An op and the block it belongs to ("" for none). */
  public record Node(Op op, String block) {}

  private final List<Node> nodes;
  private final Map<String, Value> named = new LinkedHashMap<>();
  private final Set<Value> results = new LinkedHashSet<>();
  private int values;
  private String block = "";

  public Graph() {
    nodes = new ArrayList<>();
  }

  /** The same values and results over another list of ops. */
  private Graph(Graph from, List<Node> nodes) {
    this.nodes = nodes;
    this.named.putAll(from.named);
    this.results.addAll(from.results);
    this.values = from.values;
  }

  /** The same values and results over another list of ops. */
  public Graph with(List<Node> changed) {
    return new Graph(this, changed);
  }

  /** A value that is found by its name: asking again gives the same one. */
  public Value named(Kind kind, String name, DType dtype, Shape shape) {
    Value known = named.get(name);
    if (known == null) {
      known = new Value(values++, shape, dtype, kind, name);
      named.put(name, known);
    }
    if (!known.shape().equals(shape) || known.kind() != kind) {
      throw new ShapeException(name + " is " + known + ", not " + shape);
    }
    return known;
  }

  /** Where the gradient of a PARAM is added up. */
  public Value gradient(Value param) {
    assert param.kind() == Kind.PARAM : param;
    return named(Kind.GRAD, param.name() + ".grad", param.dtype(), param.shape());
  }

  public Value input(String name, DType dtype, long... dims) {
    return named(Kind.INPUT, name, dtype, Shape.of(dims));
  }

  public Value temp(String name, DType dtype, Shape shape) {
    return new Value(values++, shape, dtype, Kind.TEMP, name);
  }

  /** A temporary like {@code v}. */
  public Value like(Value v, String name) {
    return temp(name, v.dtype(), v.shape());
  }

  public void add(Op op) {
    nodes.add(new Node(op, block));
  }

  /** Runs {@code body}; the ops it adds belong to the block {@code name}. */
  public void block(String name, Runnable body) {
    String outer = block;
    block = name;
    try {
      body.run();
    } finally {
      block = outer;
    }
  }

  /** Marks a value that the host reads after a run: its place is kept to the end. */
  public void result(Value v) {
    results.add(v);
  }

  public Set<Value> results() {
    return Collections.unmodifiableSet(results);
  }

  public List<Node> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** All values found by name: inputs, weights, parameters, state. */
  public Map<String, Value> named() {
    return Collections.unmodifiableMap(named);
  }

  int valueCount() {
    return values;
  }
}
