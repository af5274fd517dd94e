package org.loranative.lora;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Lokr;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;

/**
 * LoKr (Yeh et al. 2023): the weight gains s W1 ⊗ W2, where W2 is a product of two matrices unless
 * it is small. Starts as LyCORIS does.
 *
 * @param factor how the sizes of the weight are taken apart, see {@link #factors}
 * @param split how they were taken apart, of what a file holds
 */
record LokrMethod(int factor, Optional<Split> split) implements DeltaMethod {
  /** The nearest to the square root. */
  static final int NEAREST_ROOT = -1;

  private static final String W1 = "lokr_w1";
  private static final String W2 = "lokr_w2";
  private static final String W2_A = "lokr_w2_a";
  private static final String W2_B = "lokr_w2_b";

  /**
   * Sizes of the factors.
   *
   * @param out rows of W1
   * @param in its columns
   * @param full whether W2 is one matrix
   */
  record Split(long out, long in, boolean full) {}

  LokrMethod(int factor) {
    this(factor, Optional.empty());
  }

  @Override
  public String name() {
    return "lokr";
  }

  @Override
  public String label() {
    return "LoKr";
  }

  @Override
  public String peftType() {
    return "LOKR";
  }

  @Override
  public AdapterMethod with(Choices choices) {
    return new LokrMethod(choices.lokrFactor());
  }

  @Override
  public List<AdapterMethod> forms() {
    return List.of(of(new Split(1, 1, true)), of(new Split(1, 1, false)));
  }

  private static LokrMethod of(Split split) {
    return new LokrMethod(NEAREST_ROOT, Optional.of(split));
  }

  /** W1's shape tells all others. */
  @Override
  public AdapterMethod fitted(Map<String, TensorEntry> tensors) {
    List<Long> first = tensors.get(W1).shape();
    return of(new Split(first.get(0), first.get(1), tensors.containsKey(W2)));
  }

  /** Inputs of a layer; a convolution has kernel² columns of each. */
  private static long channels(Adapters.Target layer) {
    return layer.in() / layer.kernel() / layer.kernel();
  }

  private Split split(Adapters.Target layer, int rank) {
    long channels = channels(layer);
    return split.orElseGet(
        () -> {
          long out = first(layer, layer.out());
          long in = first(layer, channels);
          return new Split(out, in, rank >= Math.max(layer.out() / out, channels / in) / 2.0);
        });
  }

  private long first(Adapters.Target layer, long size) {
    if (factor > 0 && size % factor == 0 && (long) factor * factor > size) {
      throw new UserException(
          String.format(
              "lokr_factor: %d is more than the square root of %d, a size of %s, where LyCORIS and"
                  + " PEFT swap the factors differently; take at most %d, or -1.",
              factor, size, layer.path(), (long) Math.sqrt(size)));
    }
    return factors(size, factor);
  }

  /**
   * The smaller of two numbers whose product is {@code size}, as LyCORIS chooses it: {@code factor}
   * or what goes with it if it divides size, else the largest divisor up to it that comes nearer to
   * the square root; with {@link #NEAREST_ROOT} whatever comes nearest.
   */
  static long factors(long size, int factor) {
    if (factor > 0 && size % factor == 0) {
      return Math.min(factor, size / factor);
    }
    long most = factor < 0 ? size : factor;
    long first = 1;
    for (long next = 2; next <= most && next * next <= size; next++) {
      if (size % next == 0) {
        first = next;
      }
    }
    return first;
  }

  @Override
  public List<Part> parts(Adapters.Target layer, int rank) {
    Split s = split(layer, rank);
    long out = layer.out() / s.out();
    long in = layer.in() / s.in();
    Part first =
        DeltaMethod.part(
            W1,
            Shape.of(s.out(), s.in()),
            Part.Axes.OTHER,
            new Part.Start.Uniform(1 / Math.sqrt(s.in())),
            true);
    if (s.full()) {
      return List.of(
          first,
          new Part(
              W2,
              Shape.of(out, in),
              Part.Axes.OUTPUT_BY_INPUT,
              Part.InFiles.KERNEL,
              new Part.Start.Zeros(),
              false,
              DeltaMethod.keys(W2)));
    }
    return List.of(
        first,
        DeltaMethod.part(
            W2_A,
            Shape.of(out, rank),
            Part.Axes.OUTPUT_BY_RANK,
            new Part.Start.Uniform(1 / Math.sqrt(rank)),
            false),
        DeltaMethod.part(
            W2_B, Shape.of(rank, in), Part.Axes.RANK_BY_INPUT, new Part.Start.Zeros(), false));
  }

  @Override
  public Optional<Map<String, float[]>> read(
      Adapters.Target layer, int rank, Map<String, TensorEntry> tensors) {
    Split s = split(layer, rank);
    return layer.out() % s.out() == 0 && channels(layer) % s.in() == 0
        ? DeltaMethod.super.read(layer, rank, tensors)
        : Optional.empty();
  }

  @Override
  public Value delta(Site site, DType dtype) {
    Adapters.Module m = site.module();
    boolean full = split(m.target(), m.rank()).full();
    int kernel = m.target().kernel();
    return Lokr.of(
        site.graph(),
        site.path() + ".lokr",
        site.part(W1),
        site.part(full ? W2 : W2_A),
        full ? Optional.empty() : Optional.of(site.part(W2_B)),
        new Lokr.Setting((long) kernel * kernel, (float) m.scale()),
        dtype);
  }

  @Override
  public void merge(AdaptedLayer layer, int row, float[] weights) {
    Split s = split(layer.target(), layer.rank());
    int outer = Math.toIntExact(s.in());
    int rows = Math.toIntExact(layer.target().out() / s.out());
    float[] second = new float[weights.length / outer]; // a row of W2, [kernel², channels]
    if (s.full()) {
      System.arraycopy(layer.numbers(W2), row % rows * second.length, second, 0, second.length);
    } else {
      LowRankMethod.addProduct(
          layer.numbers(W2_A), layer.numbers(W2_B), layer.rank(), row % rows, second);
    }
    int taps = layer.target().kernel() * layer.target().kernel();
    int channels = second.length / taps;
    for (int p = 0; p < outer; p++) {
      float first = (float) layer.scale() * layer.numbers(W1)[row / rows * outer + p];
      for (int tap = 0; tap < taps; tap++) {
        int at = (tap * outer + p) * channels;
        for (int c = 0; c < channels; c++) {
          weights[at + c] += first * second[tap * channels + c];
        }
      }
    }
  }

  /** The norm of a Kronecker product is the product of the norms. */
  @Override
  public Change change(AdaptedLayer layer) {
    double first = layer.scale() * Change.norm(layer.numbers(W1));
    if (split(layer.target(), layer.rank()).full()) {
      return new Change(first * Change.norm(layer.numbers(W2)), List.of());
    }
    Change second =
        Change.of(Change.spectrum(layer.numbers(W2_A), layer.numbers(W2_B), layer.rank(), 1));
    return new Change(first * second.norm(), second.spectra());
  }

  @Override
  public void describe(LoraSpec spec, ObjectNode config) {
    DeltaMethod.super.describe(spec, config);
    config.put("decompose_both", false);
    config.put("decompose_factor", factor);
  }
}
