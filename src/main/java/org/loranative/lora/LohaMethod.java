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
    return new Part(
        name,
        Shape.of(layer.out(), rank),
        Part.Axes.OUTPUT_BY_RANK,
        Part.InFiles.MATRIX,
        start,
        scales,
        DeltaMethod.keys(name));
  }

  private static Part input(String name, Adapters.Target layer, int rank) {
    return new Part(
        name,
        Shape.of(rank, layer.in()),
        Part.Axes.RANK_BY_INPUT,
        Part.InFiles.MATRIX,
        new Part.Start.Normal(1),
        false,
        DeltaMethod.keys(name));
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
}
