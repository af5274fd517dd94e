package org.loranative.export;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.LowRankPart;
import org.loranative.lora.RankRule;
import org.loranative.track.Phase;

/**
 * An adapter whose layers have other ranks.
 *
 * @param parts by path
 */
public record Resized(Map<String, LowRankPart> parts) {
  /**
   * Takes an adapter apart and keeps the largest singular values of each layer. What is no LoRA
   * becomes LoRA: of DoRA, LoHa and LoKr the weight's whole gain is taken apart.
   *
   * @param most ranks of a layer
   */
  public static Resized of(
      AdapterBase base, Map<String, AdaptedLayer> layers, RankRule rule, int most) {
    Map<String, LowRankPart> parts = new LinkedHashMap<>();
    Phase phase = new Phase("layers taken apart", layers.size());
    try (LayerWeights weights = new LayerWeights(base.weights())) {
      layers.forEach(
          (path, layer) -> {
            phase.next();
            requireAlone(path, layer);
            parts.put(
                path,
                layer.lowRank().isPresent()
                    ? LowRankPart.of(layer, rule, most)
                    : LowRankPart.of(layer.target(), weights.gain(layer), rule, most));
          });
    }
    phase.end();
    if (parts.values().stream().allMatch(part -> part.norm() == 0)) {
      throw new UserException("The adapter changes nothing; there is nothing to take apart.");
    }
    return new Resized(parts);
  }

  private static void requireAlone(String path, AdaptedLayer layer) {
    if (layer.method().replaces()) {
      throw new UserException(
          String.format(
              "The adapter holds all of %s, trained as a whole (modules_to_save), which has no rank"
                  + " and cannot be resized; merge the adapter into its base instead (lora-native"
                  + " merge).",
              path));
    }
    if (layer.target().experts() > 0) {
      throw new UserException(
          String.format(
              "The adapter changes experts of a mixture (%s), which have one rank for all and"
                  + " cannot be resized; train again with another lora_rank.",
              path));
    }
  }

  /** What is to be written. */
  public Map<String, AdaptedLayer> layers() {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    parts.forEach((path, part) -> layers.put(path, part.layer()));
    return layers;
  }

  /** What was kept, in two lines. */
  public String describe() {
    Collection<LowRankPart> all = parts.values();
    int least = all.stream().mapToInt(p -> p.layer().rank()).min().orElse(0);
    int most = all.stream().mapToInt(p -> p.layer().rank()).max().orElse(0);
    double mean = all.stream().mapToInt(p -> p.layer().rank()).average().orElse(0);
    double norm = 0;
    double kept = 0;
    Optional<Map.Entry<String, LowRankPart>> worst = Optional.empty();
    for (Map.Entry<String, LowRankPart> e : parts.entrySet()) {
      norm += e.getValue().norm() * e.getValue().norm();
      kept += e.getValue().kept() * e.getValue().kept();
      if (worst.isEmpty() || share(e.getValue()) < share(worst.get().getValue())) {
        worst = Optional.of(e);
      }
    }
    return String.format(
            "%d layers, ranks %d to %d, %.1f on average%n", all.size(), least, most, mean)
        + String.format(
            "%.2f %% of the Frobenius norm is kept%s%n",
            norm > 0 ? 100 * Math.sqrt(kept / norm) : 100,
            worst
                .map(
                    w ->
                        String.format(
                            "; least in %s: %.2f %%", w.getKey(), 100 * share(w.getValue())))
                .orElse(""));
  }

  private static double share(LowRankPart part) {
    return part.norm() > 0 ? part.kept() / part.norm() : 1;
  }
}
