package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.Errors;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.TestDevices;

/**
 * An op at sizes that span several tiles of its kernels, forward and backward: too large for
 * numeric derivatives, so devices are held against the CPU in f32, which {@code OpTest} holds
 * against f64.
 *
 * @param numbers differentiable leaves, frozen weights and "dy", by name
 * @param ints integer inputs
 * @param leaves names of the inputs that gradients are wanted of
 * @param blocks weights that are held in blocks, as bytes
 */
record OpRun(
    Builder builder,
    Map<String, float[]> numbers,
    Map<String, int[]> ints,
    List<String> leaves,
    Map<String, ByteBuffer> blocks) {
  OpRun(
      Builder builder, Map<String, float[]> numbers, Map<String, int[]> ints, List<String> leaves) {
    this(builder, numbers, ints, leaves, Map.of());
  }

  /** Adds the op to a graph; returns its output. */
  interface Builder {
    Value build(Graph g, DType dtype);
  }

  /** The output and the gradient of each leaf, on a device. */
  Map<String, float[]> on(String deviceName, DType dtype) {
    Graph g = new Graph();
    Value y = builder.build(g, dtype);
    g.result(y);
    Value dy = g.named(Kind.INPUT, "dy", DType.F32, y.shape());
    g.add(new OpCase.Sink(List.of(y), List.of(dy), List.of(g.like(y, "dy.cast"))));
    Autodiff.backward(g);
    Map<String, Value> gradients = new HashMap<>();
    for (Graph.Node node : g.nodes()) {
      if (node.op() instanceof OpCase.Leaf leaf && leaf.gradientOf().isPresent()) {
        g.result(leaf.x());
        gradients.put(leaf.gradientOf().get().name(), leaf.x());
      }
    }
    try (Device device = TestDevices.open(deviceName);
        GraphRunner runner = new GraphRunner(g, device)) {
      numbers.forEach(
          (name, x) -> {
            if (!name.equals("dy") && !blocks.containsKey(name)) {
              runner.set(name, x);
            }
          });
      blocks.forEach((name, bytes) -> runner.setBytes(name, b -> b.put(bytes.duplicate())));
      if (g.named().containsKey("step")) {
        runner.setBytes("step", b -> OpCases.step(1).write(b));
      }
      Map<String, Object> inputs = new HashMap<>(ints);
      inputs.put("dy", numbers.get("dy"));
      runner.run(inputs);
      Map<String, float[]> results = new LinkedHashMap<>();
      results.put("output", runner.result(y));
      for (String leaf : leaves) {
        results.put(
            "gradient of " + leaf,
            gradients.containsKey(leaf)
                ? runner.result(gradients.get(leaf))
                : runner.get(leaf + ".grad"));
      }
      return results;
    }
  }

  /** Holds the CUDA kernels, in both emulators, against the CPU. */
  void compare(DType dtype, String what) {
    compare(on("cpu", DType.F32), List.of("cuda-emu", "cuda-check"), dtype, what);
  }

  /** Holds devices against results that are known. */
  void compare(Map<String, float[]> expected, List<String> devices, DType dtype, String what) {
    double tolerance =
        switch (dtype) {
          case BF16 -> 1e-2;
          case F16 -> 2e-3;
          default -> 1e-5;
        };
    for (String device : devices) {
      List<String> names = new ArrayList<>(expected.keySet());
      Map<String, float[]> actual = on(device, dtype);
      for (String name : names) {
        assertThat(Errors.relative(actual.get(name), expected.get(name)))
            .as("%s on %s in %s: %s", name, device, dtype, what)
            .isLessThan(tolerance);
      }
    }
  }
}
