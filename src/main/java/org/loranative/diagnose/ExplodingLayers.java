package org.loranative.diagnose;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.loranative.track.LayerLog;
import org.loranative.track.LayerLog.Layer;

/**
 * Layers whose adapter adds more to the weight than the weight itself: what the base knew is lost
 * there. Healthy ones change it by a tenth at most.
 */
final class ExplodingLayers implements Check {
  @Override
  public Optional<Finding> find(RunCurves run) {
    List<Layer> outgrown = run.lastLayers().map(ExplodingLayers::outgrown).orElse(List.of());
    if (outgrown.isEmpty()) {
      return Optional.empty();
    }
    int all = run.lastLayers().orElseThrow().layers().size();
    LayerLog.At first =
        run.layers().stream().filter(at -> !outgrown(at).isEmpty()).findFirst().orElseThrow();
    Layer worst = outgrown.stream().max(Comparator.comparingDouble(Layer::relative)).orElseThrow();
    return Optional.of(
        new Finding(
            Finding.Symptom.EXPLODING_LAYERS,
            first.step(),
            String.format(
                "in %d of %d adapted layers what the adapter adds is larger than the weight, in %s"
                    + " %.3g times",
                outgrown.size(), all, worst.layer(), worst.relative()),
            new Advice(run).calm()));
  }

  private static List<Layer> outgrown(LayerLog.At at) {
    return at.layers().stream().filter(l -> l.relative() > 1).toList();
  }
}
