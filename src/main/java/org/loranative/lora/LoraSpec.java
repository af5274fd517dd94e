package org.loranative.lora;

import java.util.List;

/**
 * What to adapt and how.
 *
 * @param rank inner dimension of the products
 * @param alpha scales the product together with rank
 * @param dropout on the input of the low-rank branch, in [0, 1)
 * @param targets last parts of module names ({@code q_proj}), or {@link #ALL_LINEAR}
 * @param rslora divide alpha by √rank instead of rank (Kalajdzievski 2023)
 * @param rate learning rate, relative to the run's
 */
public record LoraSpec(
    AdapterMethod method,
    int rank,
    double alpha,
    double dropout,
    List<String> targets,
    boolean rslora,
    double rate) {
  /** Every linear layer but the head. */
  public static final String ALL_LINEAR = "all-linear";

  public LoraSpec {
    targets = List.copyOf(targets);
  }

  /** LoRA at the run's rate. */
  public LoraSpec(int rank, double alpha, double dropout, List<String> targets, boolean rslora) {
    this(AdapterMethods.DEFAULT, rank, alpha, dropout, targets, rslora, 1);
  }

  /** What the product is multiplied by. */
  public double scale() {
    return rslora ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  /** What is kept for a layer. */
  List<Part> parts(Adapters.Target layer) {
    return method.parts(layer, rank);
  }

  /** Whether the module at {@code path}, or one that ends in a dot and a target, is adapted. */
  public boolean adapts(String path) {
    return targets.stream()
        .anyMatch(t -> t.equals(ALL_LINEAR) || path.equals(t) || path.endsWith("." + t));
  }
}
