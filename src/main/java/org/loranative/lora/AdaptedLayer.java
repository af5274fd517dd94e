package org.loranative.lora;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One layer's adapter, as it is read from a file or is to be written into one.
 *
 * @param alpha the scale is alpha / rank
 * @param numbers of each part, as it lies in memory
 * @param convolution whether files hold it as a convolution's, which they do for some of one pixel
 *     too
 */
public record AdaptedLayer(
    Adapters.Target target,
    AdapterMethod method,
    int rank,
    double alpha,
    Map<String, float[]> numbers,
    boolean convolution) {
  public AdaptedLayer {
    numbers = Map.copyOf(numbers);
  }

  /**
   * The two matrices of LoRA alone.
   *
   * @param a [rank, in]
   * @param b [out, rank]
   */
  public record LowRank(int rank, float[] a, float[] b) {}

  /** LoRA of these matrices. */
  public static AdaptedLayer lowRank(Adapters.Target target, double alpha, LowRank matrices) {
    return new AdaptedLayer(
        target,
        AdapterMethods.DEFAULT,
        matrices.rank(),
        alpha,
        Map.of(LowRankMethod.A, matrices.a(), LowRankMethod.B, matrices.b()),
        target.kernel() > 1);
  }

  /**
   * Its matrices, of a method that files hold as LoRA alone; those of a mixture's experts stand one
   * behind the other.
   */
  public Optional<LowRank> lowRank() {
    AdaptedLayer exported = method.exported(this);
    return exported.method().concatenates()
        ? Optional.of(
            new LowRank(
                exported.rank(),
                exported.numbers(LowRankMethod.A),
                exported.numbers(LowRankMethod.B)))
        : Optional.empty();
  }

  /** Module {@code m} of a flat buffer. */
  public static AdaptedLayer of(Adapters.Module m, float[] flat, boolean convolution) {
    Map<String, float[]> numbers = new LinkedHashMap<>();
    m.parts().forEach(p -> numbers.put(p.part().name(), p.of(flat)));
    return new AdaptedLayer(
        m.target(), m.spec().method(), m.rank(), m.scale() * m.rank(), numbers, convolution);
  }

  /** The adapter of each expert of a mixture; of another layer itself alone. */
  List<AdaptedLayer> ofEachExpert() {
    if (target.experts() == 0) {
      return List.of(this);
    }
    List<AdaptedLayer> each = new ArrayList<>();
    for (int e = 0; e < target.experts(); e++) {
      Adapters.Target one = new Adapters.Target(target.path() + "." + e, target.in(), target.out());
      Map<String, float[]> own = new LinkedHashMap<>();
      for (Map.Entry<String, float[]> part : numbers.entrySet()) {
        int size = part.getValue().length / target.experts();
        own.put(part.getKey(), Arrays.copyOfRange(part.getValue(), e * size, (e + 1) * size));
      }
      each.add(new AdaptedLayer(one, method, rank, alpha, own, false));
    }
    return each;
  }

  /** The same, held by files as a convolution's or not. */
  public AdaptedLayer inFiles(boolean asConvolution) {
    return new AdaptedLayer(target, method, rank, alpha, numbers, asConvolution);
  }

  public double scale() {
    return alpha / rank;
  }

  List<Part> parts() {
    return method.parts(target, rank);
  }

  public float[] numbers(String part) {
    return numbers.get(part);
  }

  /** The same effect with scale 1. */
  float[] scaled(Part part) {
    float[] x = numbers.get(part.name());
    if (!part.scales()) {
      return x;
    }
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) (x[i] * scale());
    }
    return y;
  }

  /**
   * Writes its numbers among those of {@code m}, a module of the same method.
   *
   * @param factor that its effect is multiplied by
   * @param before ranks of {@code m} that stay as they are
   */
  void place(Adapters.Module m, float factor, int before, float[] flat) {
    for (Part from : parts()) {
      Adapters.Place to = m.part(from.name());
      to.part()
          .place(
              from,
              numbers.get(from.name()),
              from.scales() ? factor : 1,
              before,
              flat,
              to.offset());
    }
  }
}
