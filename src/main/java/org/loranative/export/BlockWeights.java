package org.loranative.export;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.lora.LayerBlocks;

/** How much of an adapter is wanted in each block, beside its scale. */
public record BlockWeights(List<Double> weights) {
  public static final BlockWeights NONE = new BlockWeights(List.of());

  public BlockWeights {
    weights = List.copyOf(weights);
  }

  /**
   * Reads a list such as {@code 1,0,0.5,…}; one number is for every block.
   *
   * @throws UserException if it is none
   */
  public static BlockWeights of(String list) {
    List<Double> weights = new ArrayList<>();
    for (String word : list.split(",", -1)) {
      try {
        weights.add(Double.valueOf(word.strip()));
      } catch (NumberFormatException e) {
        throw new UserException(
            "--block-weights holds \"" + word.strip() + "\", which is no number.", e);
      }
      if (!Double.isFinite(weights.get(weights.size() - 1))) {
        throw new UserException("--block-weights holds " + word.strip() + "; give finite numbers.");
      }
    }
    return new BlockWeights(weights);
  }

  public boolean isNone() {
    return weights.isEmpty();
  }

  /**
   * The weight of a layer, by its path.
   *
   * @throws UserException if the base has no order of as many blocks, or, from the function, the
   *     order has not the layer's
   */
  ToDoubleFunction<String> in(LayerBlocks blocks) {
    if (weights.size() < 2) {
      double all = isNone() ? 1 : weights.get(0);
      return path -> all;
    }
    List<String> order =
        blocks.orders().stream()
            .filter(o -> o.size() == weights.size())
            .findFirst()
            .orElseThrow(
                () ->
                    new UserException(
                        String.format(
                            "--block-weights holds %d numbers, but for this base it needs %s.",
                            weights.size(),
                            blocks.orders().stream()
                                .map(o -> o.size() + " (" + String.join(", ", o) + ")")
                                .collect(Collectors.joining(" or ")))));
    Map<String, Double> byBlock =
        order.stream().collect(Collectors.toMap(b -> b, b -> weights.get(order.indexOf(b))));
    return path -> {
      Double weight = byBlock.get(blocks.block(path));
      if (weight == null) {
        throw new UserException(
            String.format(
                "--block-weights has no number for %s, in which the adapter changes %s; list all %d"
                    + " blocks.",
                blocks.block(path),
                path,
                blocks.orders().stream().mapToInt(List::size).max().orElse(0)));
      }
      return weight;
    };
  }
}
