package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Op;
import org.loranative.graph.Planner;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Glu.GluBackward;
import org.loranative.graph.ops.Linear.LinearBackward;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Gated linear units in the epilogue of the products beside them, over the edges of tiles. */
@ExtendWith(Seeded.class)
class GatedGemmTest {
  /**
   * A gated MLP of adapted layers: in large tiles, with the unit apart where these would not fill a
   * card, and in f32.
   */
  @ParameterizedTest
  @CsvSource({
    "BF16, 1390, 1432, SILU",
    "F16, 40, 48, GELU_TANH",
    "BF16, 33, 264, GELU",
    "F32, 19, 40, SILU"
  })
  void mlp(DType dtype, int m, int inner, Act act, Random r) {
    int width = 8 * (1 + r.nextInt(3));
    int rank = 1 + r.nextInt(16);
    Map<String, float[]> numbers = new HashMap<>();
    numbers.put("x", OpCases.normal(r, m * width, 1));
    numbers.put("dy", OpCases.normal(r, m * width, 1));
    numbers.put("bias", OpCases.normal(r, inner, 1));
    for (String layer : List.of("gate", "up", "down")) {
      int in = layer.equals("down") ? inner : width;
      int out = layer.equals("down") ? width : inner;
      numbers.put(layer, OpCases.normal(r, in * out, layer.equals("down") ? 0.05 : 0.2));
      numbers.put(layer + ".a", OpCases.normal(r, rank * in, 0.1));
      numbers.put(layer + ".b", OpCases.normal(r, out * rank, 0.1));
    }
    new OpRun(
            (g, t) -> {
              Value x = OpCase.leaf(g, "x", t, m, width);
              Value bias = g.named(Kind.WEIGHT, "bias", DType.F32, Shape.of(inner));
              List<Value> both =
                  LoraUp.of(
                          g,
                          x,
                          List.of(
                              new LoraUp.Layer(
                                  "gate",
                                  weight(g, "gate", t, inner, width),
                                  Optional.empty(),
                                  adapter(g, "gate", t, rank, inner, width)),
                              new LoraUp.Layer(
                                  "up",
                                  weight(g, "up", t, inner, width),
                                  Optional.of(bias),
                                  adapter(g, "up", t, rank, inner, width))),
                          0.75f)
                      .stream()
                      .map(Supplier::get)
                      .toList();
              return LoraLinear.of(
                  g,
                  "y",
                  Glu.of(g, both.get(0), both.get(1), act),
                  weight(g, "down", t, width, inner),
                  Optional.empty(),
                  adapter(g, "down", t, rank, width, inner),
                  new LoraLinear.Setting(0.75f, 0, 0));
            },
            numbers,
            Map.of(),
            List.of("x", "gate.a", "gate.b", "up.a", "up.b", "down.a", "down.b"))
        .compare(dtype, String.format("M %d width %d inner %d rank %d", m, width, inner, rank));
  }

  private static Value weight(Graph g, String layer, DType dtype, long out, long in) {
    return g.named(Kind.WEIGHT, layer, dtype, Shape.of(out, in));
  }

  private static LowRank adapter(Graph g, String layer, DType t, long rank, long out, long in) {
    return LowRank.of(
        g,
        g.named(Kind.PARAM, layer + ".a", DType.F32, Shape.of(rank, in)),
        g.named(Kind.PARAM, layer + ".b", DType.F32, Shape.of(out, rank)),
        t);
  }

  /** What the epilogue makes is, to the bit, what the unit makes of a product that was written. */
  @ParameterizedTest
  @CsvSource({
    "cpu, F32, 17, 24",
    "cpu, BF16, 17, 24",
    "cuda-emu, BF16, 1400, 1424",
    "cuda-check, F16, 1288, 1536"
  })
  void bits(String on, DType dtype, int m, int inner, Random r) {
    Map<String, float[]> numbers = new HashMap<>();
    numbers.put("x", OpCases.normal(r, m * 24, 1));
    numbers.put("w", OpCases.normal(r, inner * 24, 0.2));
    numbers.put("gate", OpCases.normal(r, m * inner, 2));
    numbers.put("up", OpCases.normal(r, m * inner, 2));
    Map<String, float[]> apart = run(false, on, dtype, m, inner, numbers);
    run(true, on, dtype, m, inner, numbers)
        .forEach((name, x) -> assertThat(Arrays.equals(x, apart.get(name))).as(name).isTrue());
  }

  private static Map<String, float[]> run(
      boolean joined, String on, DType dtype, int m, int inner, Map<String, float[]> numbers) {
    Graph g = new Graph();
    Value x = g.named(Kind.WEIGHT, "x", dtype, Shape.of(m, 24));
    Value w = g.named(Kind.WEIGHT, "w", dtype, Shape.of(inner, 24));
    Value gate = g.named(Kind.WEIGHT, "gate", dtype, Shape.of(m, inner));
    Value up = g.named(Kind.WEIGHT, "up", dtype, Shape.of(m, inner));
    Value made = Linear.of(g, "made", x, w, Optional.empty(), dtype);
    if (!joined) {
      Affine.of(g, x, 2, 1); // between the two
    }
    Value y = Glu.of(g, gate, made, Act.SILU);
    Value d = g.temp("d", dtype, Shape.of(m, inner));
    Value dgate = g.temp("dgate", dtype, Shape.of(m, inner));
    Value dup = g.temp("dup", dtype, Shape.of(m, inner));
    Value v = g.named(Kind.WEIGHT, "v", dtype, Shape.of(24, inner));
    g.add(new LinearBackward(x, v, Optional.empty(), d, Optional.empty()));
    g.add(new GluBackward(d, gate, up, dgate, dup, Act.GELU_TANH));
    if (!joined) {
      g.result(d);
    }
    List.of(made, y, dgate, dup).forEach(g::result);
    try (Device device = TestDevices.open(on);
        GraphRunner runner = new GraphRunner(g, device)) {
      numbers.forEach(runner::set);
      runner.set("v", numbers.get("w"));
      runner.run(Map.of());
      assertThat(runner.plan().ops()).hasSize(joined ? 2 : 5);
      Map<String, float[]> results = new LinkedHashMap<>();
      List.of(made, y, dgate, dup)
          .forEach(value -> results.put(value.name(), runner.result(value)));
      return results;
    }
  }

  /** What somebody else reads is made, and what is added to something else stays so. */
  @Test
  void isLeftApart() {
    Graph g = new Graph();
    Value x = g.input("x", DType.F32, 3, 8);
    Value w = g.named(Kind.WEIGHT, "w", DType.F32, Shape.of(8, 8));
    Value before = Linear.of(g, "before", x, w, Optional.empty(), DType.F32);
    Value sum = g.like(before, "sum");
    g.add(new LinearBackward(x, w, Optional.of(before), sum, Optional.empty()));
    Value dgate = g.like(x, "dgate");
    g.add(new GluBackward(sum, x, x, dgate, g.like(x, "dup"), Act.SILU));
    g.result(dgate);
    try (Device device = TestDevices.open("cpu")) {
      assertThat(Planner.plan(g, device).ops().stream().map(Op::name))
          .containsExactly("linear", "linear_backward", "glu_backward");
    }
  }
}
