package org.loranative.export;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.Change;
import org.loranative.lora.LowRankPart;
import org.loranative.lora.RankRule;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.weights.Reading;
import org.loranative.model.weights.Weights;
import org.loranative.track.Phase;

/**
 * An adapter that leads from one diffusion model to another of the same shape: of each layer the
 * largest singular values of the difference.
 *
 * @param part what differs, layer by layer
 * @param same layers that do not differ
 * @param left tensors that differ and that no adapter reaches: norms, biases, embeddings, the VAE
 */
public record Extraction(Resized part, int same, List<String> left) {
  /** Of the weight's norm: what is less is no difference. */
  private static final double NOTHING = 1e-7;

  /**
   * Takes the difference apart.
   *
   * @param textEncoders whether their layers are adapted too, not the denoiser's alone
   * @param most ranks of a layer
   * @throws UserException if the two are not of one shape, or equal
   */
  public static Extraction of(
      DiffusionBase base, DiffusionBase tuned, boolean textEncoders, RankRule rule, int most) {
    Map<String, Adapters.Target> others = new HashMap<>();
    tuned.layers().targets().forEach(t -> others.put(t.path(), t));
    String denoiser = base.family().names().parts().get(0) + ".";
    List<Adapters.Target> targets =
        base.layers().targets().stream()
            .filter(t -> textEncoders || t.path().startsWith(denoiser))
            .toList();
    Map<String, LowRankPart> parts = new LinkedHashMap<>();
    int same = 0;
    Phase phase = new Phase("layers taken apart", targets.size());
    try (LayerWeights before = new LayerWeights(base.weights());
        LayerWeights after = new LayerWeights(tuned.weights())) {
      for (Adapters.Target target : targets) {
        phase.next();
        if (!target.equals(others.get(target.path()))) {
          throw new UserException(
              String.format(
                  "%s and %s are models of different shapes: %s is not the same layer in both.",
                  base.path(), tuned.path(), target.path()));
        }
        float[] weight = before.of(target);
        float[] difference = difference(weight, after.of(target));
        if (Change.norm(difference)
            <= threshold(base, tuned, target.path() + ".weight") * Change.norm(weight)) {
          same++;
        } else {
          parts.put(target.path(), LowRankPart.of(target, difference, rule, most));
        }
      }
      phase.end();
      if (parts.isEmpty()) {
        throw new UserException(
            String.format(
                "The layers of %s and %s do not differ; there is nothing to extract.",
                base.path(), tuned.path()));
      }
      return new Extraction(new Resized(parts), same, left(base, tuned, targets, before, after));
    }
  }

  /** Where the two are stored in different types, their roundings are no difference. */
  private static double threshold(DiffusionBase base, DiffusionBase tuned, String name) {
    String one = base.weights().entry(name).type();
    String other = tuned.weights().entry(name).type();
    if (one.equals(other)) {
      return NOTHING;
    }
    return Math.max(rounding(one), rounding(other));
  }

  private static double rounding(String type) {
    if (type.equals(DType.F32.name())) {
      return NOTHING;
    }
    return type.equals(DType.F16.name()) ? 0x1p-11 : 0x1p-8;
  }

  private static List<String> left(
      DiffusionBase base,
      DiffusionBase tuned,
      List<Adapters.Target> targets,
      LayerWeights before,
      LayerWeights after) {
    Set<String> adapted = new HashSet<>();
    targets.forEach(t -> adapted.add(t.path() + ".weight"));
    List<String> left = new ArrayList<>();
    Map<String, Value> named = Weights.of(Painter.graphs(base, Adapters.none(), DType.F32));
    for (Value v : named.values()) {
      if (v.kind() != Kind.WEIGHT
          || adapted.contains(v.name())
          || !base.weights().has(v.name())
          || !tuned.weights().has(v.name())) {
        continue;
      }
      Reading one = base.weights().reading(v.name());
      Reading other = tuned.weights().reading(v.name());
      float[] x = before.stored(one);
      float[] y = after.stored(other);
      if (x.length != y.length
          || Change.norm(difference(x, y)) > threshold(base, tuned, v.name()) * Change.norm(x)) {
        left.add(v.name());
      }
    }
    return left;
  }

  /** What was found, in lines. */
  public String describe() {
    return part.describe()
        + (same > 0 ? String.format("%d layers do not differ%n", same) : "")
        + (left.isEmpty()
            ? ""
            : String.format(
                "%d tensors differ that the adapter does not hold, such as %s%n",
                left.size(), left.get(0)));
  }

  private static float[] difference(float[] before, float[] after) {
    float[] difference = after.clone();
    for (int i = 0; i < before.length; i++) {
      difference[i] -= before[i];
    }
    return difference;
  }
}
