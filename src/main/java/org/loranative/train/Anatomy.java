package org.loranative.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.loranative.diagnose.Statistics;
import org.loranative.io.Numbers;
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
  private Map<String, List<float[]>> before = Map.of();
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
    Map<String, List<float[]>> grads = parts(state.numbers(AdapterState.GRADS));
    gradNorms =
        modules().parallelStream()
            .mapToDouble(m -> norm(grads.get(m.path())) / lossScale)
            .toArray();
    before = parts(state.numbers(AdapterState.PARAMS));
  }

  /** What the update made of them. */
  LayerLog.At afterUpdate(int step) {
    List<Adapters.Module> modules = modules();
    Map<String, List<float[]>> after = parts(state.numbers(AdapterState.PARAMS));
    LayerLog.Layer[] layers = new LayerLog.Layer[modules.size()];
    IntStream.range(0, layers.length)
        .parallel()
        .forEach(
            i -> {
              Adapters.Module m = modules.get(i);
              layers[i] = layer(m, gradNorms[i], before.get(m.path()), after.get(m.path()));
            });
    before = Map.of();
    return new LayerLog.At(step, List.of(layers));
  }

  /** A flat buffer's numbers, part by part, by the layer's path. */
  private Map<String, List<float[]>> parts(Numbers flat) {
    Map<String, List<float[]>> parts = new HashMap<>();
    for (Adapters.Module m : modules()) {
      parts.put(m.path(), m.parts().stream().map(p -> p.of(flat).all()).toList());
    }
    return parts;
  }

  /** Those that add something to a weight. */
  private List<Adapters.Module> modules() {
    return adapters.modules().stream().filter(m -> !m.spec().method().replaces()).toList();
  }

  private LayerLog.Layer layer(
      Adapters.Module m, double gradNorm, List<float[]> old, List<float[]> now) {
    Map<String, float[]> numbers = new LinkedHashMap<>();
    Map<String, Float> parts = new LinkedHashMap<>();
    double moved = 0;
    double all = 0;
    for (int i = 0; i < now.size(); i++) {
      String name = m.parts().get(i).part().name();
      double own = squares(now.get(i));
      all += own;
      moved += squaresOfDifference(now.get(i), old.get(i));
      numbers.put(name, now.get(i));
      parts.put(name, (float) Math.sqrt(own));
    }
    Change change = m.spec().method().change(AdaptedLayer.of(m, numbers));
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

  private static double norm(List<float[]> parts) {
    return Math.sqrt(parts.stream().mapToDouble(Anatomy::squares).sum());
  }

  private static double squares(float[] x) {
    double sum = 0;
    for (float v : x) {
      sum += (double) v * v;
    }
    return sum;
  }

  private static double squaresOfDifference(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
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
