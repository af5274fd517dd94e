package org.loranative.lora;

import java.util.List;
import org.loranative.UserException;

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
    if (layer.experts() > 0) {
      requireExperts(layer.path());
    }
    return method.parts(layer, rank);
  }

  private void requireExperts(String path) {
    if (!method.adaptsExperts()) {
      throw new UserException(
          String.format(
              "lora_targets: %s are experts of a mixture, which only LoRA adapts, as in PEFT. Set"
                  + " lora_method: lora and lora_init: default (or gaussian), or leave them out.",
              path));
    }
    if (dropout > 0) {
      throw new UserException(
          String.format(
              "lora_dropout is %s, but adapters of experts (%s) have none, as in PEFT. Set"
                  + " lora_dropout: 0, or leave the experts out of lora_targets.",
              dropout, path));
    }
  }

  /**
   * Whether a layer is adapted: its path is a target, or ends in a dot and one. All linear layers
   * are not the experts of mixtures, as in PEFT.
   */
  public boolean adapts(Adapters.Target layer) {
    String path = layer.path();
    return targets.stream()
        .anyMatch(
            t ->
                t.equals(ALL_LINEAR) && layer.experts() == 0
                    || path.equals(t)
                    || path.endsWith("." + t));
  }
}
