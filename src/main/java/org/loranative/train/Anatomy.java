package org.loranative.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.loranative.diagnose.Statistics;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Change;
import org.loranative.track.LayerLog;

/**
 * Looks at the adapters around an optimizer step, layer by layer: how large they are, how they
 * change the weights, how hard they are pulled and how far they move. It only reads.
 */
public final class Anatomy {
  private final Adapters adapters;
  private final AdapterState state;
  private final Map<String, Double> weights;
  private float[] before = new float[0];
  private double[] gradNorms = new double[0];

  /**
   * @param weights norms of the frozen weights, by the layer's path
   */
  public Anatomy(Adapters adapters, AdapterState state, Map<String, Double> weights) {
    this.adapters = adapters;
    this.state = state;
    this.weights = Map.copyOf(weights);
  }

  /**
   * Looks at a step's gradients, which the update will clear.
   *
   * @param lossScale that they are multiplied by
   */
  void beforeUpdate(double lossScale) {
    float[] grads = state.read(AdapterState.GRADS);
    gradNorms = modules().parallelStream().mapToDouble(m -> norm(m, grads) / lossScale).toArray();
    before = state.read(AdapterState.PARAMS);
  }

  /** What the update made of them. */
  LayerLog.At afterUpdate(int step, float[] params) {
    List<Adapters.Module> modules = modules();
    LayerLog.Layer[] layers = new LayerLog.Layer[modules.size()];
    IntStream.range(0, layers.length)
        .parallel()
        .forEach(i -> layers[i] = layer(modules.get(i), gradNorms[i], params));
    before = new float[0];
    return new LayerLog.At(step, List.of(layers));
  }

  /** Those that add something to a weight. */
  private List<Adapters.Module> modules() {
    return adapters.modules().stream().filter(m -> !m.spec().method().replaces()).toList();
  }

  private LayerLog.Layer layer(Adapters.Module m, double gradNorm, float[] params) {
    Change change = m.spec().method().change(AdaptedLayer.of(m, params, false));
    Map<String, Float> parts = new LinkedHashMap<>();
    double moved = 0;
    double all = 0;
    for (Adapters.Place p : m.parts()) {
      double own = squares(p, params);
      all += own;
      moved += squaresOfDifference(p, params, before);
      parts.put(p.part().name(), (float) Math.sqrt(own));
    }
    List<Float> spectrum = new ArrayList<>();
    if (!change.spectra().isEmpty()) {
      for (double x : change.spectra().get(0)) {
        spectrum.add((float) x);
      }
    }
    return new LayerLog.Layer(
        m.path(),
        m.rank(),
        parts,
        (float) change.norm(),
        (float) (change.norm() / weights.getOrDefault(m.path(), Double.NaN)),
        change.directions(),
        change.most(),
        spectrum,
        (float) gradNorm,
        (float) (Math.sqrt(moved / all)));
  }

  private static double norm(Adapters.Module m, float[] flat) {
    return Math.sqrt(m.parts().stream().mapToDouble(p -> squares(p, flat)).sum());
  }

  private static double squares(Adapters.Place p, float[] flat) {
    int end = (int) p.offset() + p.part().size();
    double sum = 0;
    for (int i = (int) p.offset(); i < end; i++) {
      sum += (double) flat[i] * flat[i];
    }
    return sum;
  }

  private static double squaresOfDifference(Adapters.Place p, float[] x, float[] y) {
    int end = (int) p.offset() + p.part().size();
    double sum = 0;
    for (int i = (int) p.offset(); i < end; i++) {
      double by = x[i] - y[i];
      sum += by * by;
    }
    return sum;
  }

  /** The few curves that all layers together make, by tag. */
  static Map<String, Double> curves(LayerLog.At at) {
    Map<String, Double> curves = new LinkedHashMap<>();
    put(curves, at, "change", LayerLog.Layer::relative);
    put(curves, at, "directions", LayerLog.Layer::directions);
    put(curves, at, "grad_norm", LayerLog.Layer::gradNorm);
    put(curves, at, "update", LayerLog.Layer::update);
    return curves;
  }

  private static void put(
      Map<String, Double> curves,
      LayerLog.At at,
      String name,
      ToDoubleFunction<LayerLog.Layer> number) {
    double[] known = at.layers().stream().mapToDouble(number).filter(Double::isFinite).toArray();
    if (known.length > 0) {
      curves.put("adapter/" + name + "_median", Statistics.median(known));
      curves.put("adapter/" + name + "_max", Arrays.stream(known).max().orElseThrow());
    }
  }
}
