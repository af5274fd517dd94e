package org.loranative.lora;

import java.util.List;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Loha;
import org.loranative.io.DType;

/**
 * LoHa (Yeh et al. 2023): the weight gains s (A1 B1) ∘ (A2 B2), of rank up to rank². Starts as
 * LyCORIS does.
 */
record LohaMethod() implements DeltaMethod {
  private static final String A1 = "hada_w1_a";
  private static final String B1 = "hada_w1_b";
  private static final String A2 = "hada_w2_a";
  private static final String B2 = "hada_w2_b";

  /** Of which the norm of what the weight gains is taken. */
  private static final int MOST_ROWS = 64;

  @Override
  public String name() {
    return "loha";
  }

  @Override
  public String label() {
    return "LoHa";
  }

  @Override
  public String peftType() {
    return "LOHA";
  }

  @Override
  public List<Part> parts(Adapters.Target layer, int rank) {
    return List.of(
        output(A1, layer, rank, new Part.Start.Normal(0.1), false),
        input(B1, layer, rank),
        output(A2, layer, rank, new Part.Start.Zeros(), true),
        input(B2, layer, rank));
  }

  private static Part output(
      String name, Adapters.Target layer, int rank, Part.Start start, boolean scales) {
    return DeltaMethod.part(
        name, Shape.of(layer.out(), rank), Part.Axes.OUTPUT_BY_RANK, start, scales);
  }

  private static Part input(String name, Adapters.Target layer, int rank) {
    return DeltaMethod.part(
        name, Shape.of(rank, layer.in()), Part.Axes.RANK_BY_INPUT, new Part.Start.Normal(1), false);
  }

  @Override
  public Value delta(Site site, DType dtype) {
    return Loha.of(
        site.graph(),
        site.path() + ".loha",
        site.part(A1),
        site.part(B1),
        site.part(A2),
        site.part(B2),
        (float) site.module().scale(),
        dtype);
  }

  @Override
  public void merge(AdaptedLayer layer, int row, float[] weights) {
    float[] x = new float[weights.length];
    float[] y = new float[weights.length];
    LowRankMethod.addProduct(layer.numbers(A1), layer.numbers(B1), layer.rank(), row, x);
    LowRankMethod.addProduct(layer.numbers(A2), layer.numbers(B2), layer.rank(), row, y);
    float scale = (float) layer.scale();
    for (int c = 0; c < weights.length; c++) {
      weights[c] += scale * x[c] * y[c];
    }
  }

  /** Its norm is that of some rows, evenly spaced, where there are many. */
  @Override
  public Change change(AdaptedLayer layer) {
    int rank = layer.rank();
    float[] a1 = layer.numbers(A1);
    float[] b1 = layer.numbers(B1);
    float[] a2 = layer.numbers(A2);
    float[] b2 = layer.numbers(B2);
    int out = a1.length / rank;
    int some = Math.min(out, MOST_ROWS);
    double sum = 0;
    for (int i = 0; i < some; i++) {
      int row = (int) ((long) out * i / some);
      double[] x = row(a1, b1, rank, row);
      double[] y = row(a2, b2, rank, row);
      for (int c = 0; c < x.length; c++) {
        sum += x[c] * y[c] * x[c] * y[c];
      }
    }
    return new Change(
        layer.scale() * Math.sqrt(sum * out / some),
        List.of(Change.spectrum(a1, b1, rank, 1), Change.spectrum(a2, b2, rank, 1)));
  }

  /** A row of {@code a · b}. */
  private static double[] row(float[] a, float[] b, int rank, int row) {
    int columns = b.length / rank;
    double[] y = new double[columns];
    for (int r = 0; r < rank; r++) {
      double by = a[row * rank + r];
      for (int c = 0; c < columns; c++) {
        y[c] += by * b[r * columns + c];
      }
    }
    return y;
  }
}
