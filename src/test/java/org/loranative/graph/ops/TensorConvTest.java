package org.loranative.graph.ops;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.io.DType;
import org.loranative.testing.Seeded;

/**
 * Convolutions on the tensor cores, with LoCon's branch: over the edges of tiles and images, both
 * strides, the padding of a VAE's encoder, and depths long enough that the sum is split.
 */
@ExtendWith(Seeded.class)
class TensorConvTest {
  @ParameterizedTest
  @CsvSource({
    "BF16, 1, false, 4, false",
    "F16, 2, false, 10, false",
    "BF16, 2, true, 3, false",
    "F16, 1, false, 8, true",
    "BF16, 1, false, 16, true"
  })
  void small(DType dtype, int stride, boolean after, int rank, boolean deep, Random r) {
    Conv2d.Setting s = setting(1 + r.nextInt(2), stride, after, r);
    int most = deep ? 24 : 6;
    compare(dtype, s, 8 * (1 + r.nextInt(most)), 8 * (1 + r.nextInt(most)), rank, r);
  }

  /**
   * Whole boxes of 64 channels, which Hopper copies by maps of patches; several images in a tile.
   */
  @ParameterizedTest
  @CsvSource({
    "BF16, 64, 128, 1, false",
    "F16, 128, 64, 2, false",
    "BF16, 192, 64, 2, true",
    "F16, 64, 320, 1, false"
  })
  void wholeBoxes(DType dtype, int in, int out, int stride, boolean after, Random r) {
    compare(dtype, setting(1 + r.nextInt(4), stride, after, r), in, out, 4, r);
  }

  /**
   * @param after padded behind each line and the last alone, as diffusers' VAEs do
   */
  private static Conv2d.Setting setting(int images, int stride, boolean after, Random r) {
    int height = 3 + r.nextInt(9);
    int width = 3 + r.nextInt(9);
    return after
        ? new Conv2d.Setting(
            images, height, width, (height - 2) / 2 + 1, (width - 2) / 2 + 1, 3, stride, 0)
        : Conv2d.Setting.same(images, height, width, 3, stride);
  }

  /** Enough pixels for the large tile, forward in the first and backward in the second. */
  @ParameterizedTest
  @CsvSource({"BF16, 8, 264, 1", "F16, 264, 8, 1"})
  void large(DType dtype, int in, int out, int stride, Random r) {
    compare(dtype, Conv2d.Setting.same(2, 50, 50 + r.nextInt(9), 3, stride), in, out, 4, r);
  }

  private static void compare(DType dtype, Conv2d.Setting s, int in, int out, int rank, Random r) {
    int pixels = (int) (s.images() * s.height() * s.width());
    int rows = (int) (s.images() * s.outHeight() * s.outWidth());
    new OpRun(
            (g, t) -> {
              var x = OpCase.leaf(g, "x", t, pixels, in);
              return LoraConv2d.of(
                  g,
                  "y",
                  x,
                  Conv2d.of(
                      g,
                      "base",
                      x,
                      g.named(Kind.WEIGHT, "w", t, Shape.of(out, 3, 3, in)),
                      Optional.of(g.named(Kind.WEIGHT, "bias", DType.F32, Shape.of(out))),
                      s),
                  LowRank.of(
                      g,
                      g.named(Kind.PARAM, "a", DType.F32, Shape.of(rank, 9L * in)),
                      g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, rank)),
                      t),
                  s,
                  new LoraLinear.Setting(0.75f, 0, 0));
            },
            Map.of(
                "x", OpCases.normal(r, pixels * in, 1),
                "w", OpCases.normal(r, out * 9 * in, 0.1),
                "bias", OpCases.normal(r, out, 1),
                "a", OpCases.normal(r, rank * 9 * in, 0.1),
                "b", OpCases.normal(r, out * rank, 0.1),
                "dy", OpCases.normal(r, rows * out, 1)),
            Map.of(),
            List.of("x", "a", "b"))
        .compare(dtype, String.format("%s in %d out %d rank %d", s, in, out, rank));
  }
}
