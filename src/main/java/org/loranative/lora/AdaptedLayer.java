package org.loranative.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.io.Numbers;

/**
 * One layer's adapter, as it is read from a file or is to be written into one.
 *
 * @param alpha the scale is alpha / rank
 * @param numbers of each part, in the order in which it lies in memory
 * @param convolution whether files hold it as a convolution's, which they do for some of one pixel
 *     too
 */
public record AdaptedLayer(
    Adapters.Target target,
    AdapterMethod method,
    int rank,
    double alpha,
    Map<String, Numbers> numbers,
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
        Numbers.of(Map.of(LowRankMethod.A, matrices.a(), LowRankMethod.B, matrices.b())),
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

  /** Module {@code m} of a flat buffer; a whole weight stays where it lies. */
  public static AdaptedLayer of(Adapters.Module m, Numbers flat, boolean convolution) {
    Map<String, Numbers> numbers = new LinkedHashMap<>();
    for (Adapters.Place p : m.parts()) {
      Numbers own = p.of(flat);
      numbers.put(p.part().name(), m.spec().method().replaces() ? own : Numbers.of(own.all()));
    }
    return of(m, numbers, convolution);
  }

  /** A module's parts by name. */
  public static AdaptedLayer of(Adapters.Module m, Map<String, float[]> parts) {
    return of(m, Numbers.of(parts), false);
  }

  private static AdaptedLayer of(
      Adapters.Module m, Map<String, Numbers> numbers, boolean convolution) {
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
      Map<String, Numbers> own = new LinkedHashMap<>();
      for (Map.Entry<String, Numbers> part : numbers.entrySet()) {
        long size = part.getValue().size() / target.experts();
        own.put(part.getKey(), Numbers.of(part.getValue().slice(e * size, size).all()));
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

  /** A part's, of a method whose parts are small. */
  public float[] numbers(String part) {
    return numbers.get(part).all();
  }

  /** The same effect with scale 1. */
  float[] scaled(Part part) {
    float[] x = numbers(part.name());
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
  void place(Adapters.Module m, float factor, int before, Flat flat) {
    for (Part from : parts()) {
      Adapters.Place to = m.part(from.name());
      float by = from.scales() ? factor : 1;
      if (by == 1 && from.shape().equals(to.part().shape())) {
        flat.put(to, numbers.get(from.name()));
      } else {
        to.part().place(from, numbers(from.name()), by, before, flat.array(to));
      }
    }
  }
}
