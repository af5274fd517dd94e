package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.LowRank.RankAxis;
import org.loranative.io.DType;
import org.loranative.testing.Bf16;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.Seeded;
import org.loranative.testing.TestDevices;

/** Copies of many matrices in one launch are, to the bit, those that a launch for each makes. */
@ExtendWith(Seeded.class)
class RoundPartsTest {
  private static final int PARTS = 12;

  static List<String> devices() {
    return TestDevices.ops();
  }

  @ParameterizedTest
  @MethodSource("devices")
  void areThoseOfEachMatrix(String name, Random r) {
    try (Device device = TestDevices.open(name)) {
      if (!name.equals("cpu") || CpuDevice.hasBf16()) {
        check(device, DType.BF16, r);
      }
      if (!name.equals("cpu")) {
        check(device, DType.F16, r);
      }
    }
  }

  private static void check(Device device, DType dtype, Random r) {
    Graph g = new Graph();
    List<Value> alone = new ArrayList<>();
    List<Integer> from = new ArrayList<>();
    List<Integer> to = new ArrayList<>();
    int[] rows = new int[PARTS * RoundParts.ROW];
    int numbers = 0;
    int copied = 0;
    for (int i = 0; i < PARTS; i++) {
      RankAxis rank = i % 2 == 0 ? RankAxis.OF_A : RankAxis.OF_B;
      Shape part = shape(r, i % 3 == 0);
      Shape copy = LowRank.filledUp(part, rank, dtype);
      Value x = g.named(Kind.STATE, "part" + i, DType.F32, part);
      alone.add(RoundPadded.of(g, x, copy, dtype));
      g.result(alone.get(i));
      from.add(numbers);
      to.add(copied);
      int[] row = RoundParts.row(numbers, copied, RoundPadded.Sizes.of(part, copy));
      System.arraycopy(row, 0, rows, i * RoundParts.ROW, RoundParts.ROW);
      numbers += up((int) part.size(), RoundParts.FROM);
      copied += up((int) copy.size(), RoundParts.TO);
    }
    Value all = g.named(Kind.STATE, "all", DType.F32, Shape.of(numbers));
    Value places = g.named(Kind.STATE, "places", DType.I32, Shape.of(rows.length));
    Value copies = g.named(Kind.STATE, "copies", dtype, Shape.of(copied));
    RoundParts.of(g, all, places, copies);

    float[] flat = OpCases.normal(r, numbers, 1);
    for (int i = 0; i < flat.length; i++) {
      flat[i] += (float) (r.nextGaussian() * 1e-4); // numbers that have to be rounded
    }
    try (GraphRunner runner = new GraphRunner(g, device)) {
      runner.set("all", flat).setInts("places", rows);
      for (int i = 0; i < PARTS; i++) {
        int size = (int) g.named().get("part" + i).shape().size();
        runner.set("part" + i, Arrays.copyOfRange(flat, from.get(i), from.get(i) + size));
      }
      runner.run(Map.of());
      float[] together = runner.get("copies");
      for (int i = 0; i < PARTS; i++) {
        float[] one = runner.result(alone.get(i));
        assertThat(one)
            .as("part %d %s, %s", i, alone.get(i), Seeded.again())
            .isEqualTo(Arrays.copyOfRange(together, to.get(i), to.get(i) + one.length));
        if (dtype == DType.BF16) {
          assertThat(one).as(alone.get(i).toString()).isEqualTo(expected(g, flat, from.get(i), i));
        }
      }
    }
  }

  /** Zeros where there is no number. */
  private static float[] expected(Graph g, float[] flat, int from, int part) {
    Shape x = g.named().get("part" + part).shape();
    boolean a = part % 2 == 0;
    int[] in = dims(x);
    int[] out = dims(LowRank.filledUp(x, a ? RankAxis.OF_A : RankAxis.OF_B, DType.BF16));
    float[] y = new float[out[0] * out[1] * out[2]];
    for (int e = 0; e < in[0]; e++) {
      for (int i = 0; i < in[1]; i++) {
        for (int j = 0; j < in[2]; j++) {
          y[(e * out[1] + i) * out[2] + j] = Bf16.round(flat[from + (e * in[1] + i) * in[2] + j]);
        }
      }
    }
    return y;
  }

  private static int[] dims(Shape s) {
    int n = s.dims().size();
    return new int[] {
      n == 3 ? (int) s.dim(0) : 1, (int) s.dim(n - 2), (int) s.dim(n - 1),
    };
  }

  private static Shape shape(Random r, boolean experts) {
    int unit = r.nextBoolean() ? 8 : 1;
    long rows = unit * OpCases.between(r, 1, 9);
    long columns = unit * OpCases.between(r, 1, 300);
    return experts ? Shape.of(OpCases.between(r, 2, 5), rows, columns) : Shape.of(rows, columns);
  }

  private static int up(int n, int unit) {
    return (n + unit - 1) / unit * unit;
  }
}
