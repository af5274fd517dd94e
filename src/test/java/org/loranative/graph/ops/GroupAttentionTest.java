package org.loranative.graph.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.CpuDevice;
import org.loranative.io.DType;
import org.loranative.testing.Errors;
import org.loranative.testing.Seeded;

/** The CPU's full attention over several blocks of queries and keys, against plain sums in f64. */
@ExtendWith(Seeded.class)
class GroupAttentionTest {
  @ParameterizedTest
  @CsvSource({
    "1, 2, 40, 1100, 530, F32, 0", "1, 2, 40, 1100, 530, BF16, 529", "2, 3, 64, 300, 77, BF16, 0",
    "2, 1, 80, 4000, 77, F32, 60", "2, 1, 80, 4000, 77, BF16, 0", "3, 2, 5, 7, 3, BF16, 0",
    "1, 1, 160, 33, 1500, BF16, 0", "3, 1, 160, 33, 1500, F32, 1499",
        "1, 2, 40, 1024, 1024, BF16, 0"
  })
  void agreesWithPlainSums(
      int groups,
      int heads,
      int dim,
      int queries,
      int keys,
      DType dtype,
      int mostPadding,
      Random r) {
    assumeTrue(dtype == DType.F32 || CpuDevice.hasBf16(), "a CPU without bf16");
    int m = groups * queries;
    int n = groups * keys;
    int width = heads * dim;
    Map<String, float[]> numbers =
        Map.of(
            "q", OpCases.normal(r, m * width, 2),
            "k", OpCases.normal(r, n * width, 1),
            "v", OpCases.normal(r, n * width, 1),
            "dy", OpCases.normal(r, m * width, 1));
    Attention.Setting setting = Attention.Setting.full(heads, dim, queries, keys);
    int[] padding = r.ints(groups, 0, mostPadding + 1).toArray();
    Map<String, float[]> actual =
        new OpRun(
                (g, t) ->
                    Attention.of(
                        g,
                        "o",
                        OpCase.leaf(g, "q", t, m, width),
                        OpCase.leaf(g, "k", t, n, width),
                        OpCase.leaf(g, "v", t, n, width),
                        mostPadding > 0
                            ? Optional.of(g.input("padding", DType.I32, groups))
                            : Optional.empty(),
                        setting),
                numbers,
                mostPadding > 0 ? Map.of("padding", padding) : Map.of(),
                List.of("q", "k", "v"))
            .on("cpu", dtype);
    plain(groups, setting, padding, numbers)
        .forEach(
            (name, expected) ->
                assertThat(Errors.relative(actual.get(name), expected))
                    .as(name)
                    .isLessThan(dtype == DType.F32 ? 1e-5 : 1e-2));
  }

  private static Map<String, float[]> plain(
      int groups, Attention.Setting s, int[] padding, Map<String, float[]> numbers) {
    float[] q = numbers.get("q");
    float[] k = numbers.get("k");
    float[] v = numbers.get("v");
    float[] dy = numbers.get("dy");
    int heads = (int) s.heads();
    int dim = (int) s.headDim();
    int width = heads * dim;
    float[] o = new float[q.length];
    double[] dq = new double[q.length];
    double[] dk = new double[k.length];
    double[] dv = new double[v.length];
    for (int i = 0; i < groups * s.queries(); i++) {
      double[] p = new double[(int) s.keys() - padding[(int) (i / s.queries())]];
      int firstKey = (int) (i / s.queries() * s.keys());
      for (int h = 0; h < heads; h++) {
        int at = i * width + h * dim;
        double sum = 0;
        for (int j = 0; j < p.length; j++) {
          int key = (firstKey + j) * width + h * dim;
          double dot = 0;
          for (int d = 0; d < dim; d++) {
            dot += (double) q[at + d] * k[key + d];
          }
          p[j] = Math.exp(dot * s.scale());
          sum += p[j];
        }
        double[] row = new double[dim];
        for (int j = 0; j < p.length; j++) {
          p[j] /= sum;
          for (int d = 0; d < dim; d++) {
            row[d] += p[j] * v[(firstKey + j) * width + h * dim + d];
          }
        }
        double delta = 0;
        for (int d = 0; d < dim; d++) {
          o[at + d] = (float) row[d];
          delta += row[d] * dy[at + d];
        }
        for (int j = 0; j < p.length; j++) {
          int key = (firstKey + j) * width + h * dim;
          double dp = 0;
          for (int d = 0; d < dim; d++) {
            dp += (double) dy[at + d] * v[key + d];
            dv[key + d] += p[j] * dy[at + d];
          }
          double ds = p[j] * (dp - delta) * s.scale();
          for (int d = 0; d < dim; d++) {
            dq[at + d] += ds * k[key + d];
            dk[key + d] += ds * q[at + d];
          }
        }
      }
    }
    Map<String, float[]> results = new LinkedHashMap<>();
    results.put("output", o);
    results.put("gradient of q", floats(dq));
    results.put("gradient of k", floats(dk));
    results.put("gradient of v", floats(dv));
    return results;
  }

  private static float[] floats(double[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) x[i];
    }
    return y;
  }
}
