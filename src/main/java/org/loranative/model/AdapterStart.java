package org.loranative.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Flat;
import org.loranative.model.weights.WeightNumbers;
import org.loranative.model.weights.Weights;
import org.loranative.track.Phase;

/** Those numbers of a new adapter that are made of the base's weights, on the device. */
public final class AdapterStart {
  private AdapterStart() {}

  /**
   * Fills them in.
   *
   * @param weights of the base, which are loaded
   * @param params the flat buffer as it begins without them
   * @param state that {@code placement} places; it is overwritten
   */
  public static void fill(
      Device device,
      Weights weights,
      Adapters adapters,
      DType compute,
      Placement placement,
      AdapterState state,
      Flat params) {
    Phase phase = new Phase("layers' starts computed", adapters.modules().size());
    for (Adapters.Module m : adapters.modules()) {
      phase.next();
      m.spec()
          .method()
          .startFromWeight(m, () -> WeightNumbers.of(weights, m.path() + ".weight"))
          .forEach((part, numbers) -> params.put(m.part(part), numbers));
    }
    phase.end();
    Graph graph = new Graph();
    Net net = new Net(graph, weights, adapters, compute, false);
    Map<String, Adapters.Place> places = new LinkedHashMap<>();
    for (Adapters.Module m : adapters.modules()) {
      AdapterMethod.Site site = new AdapterMethod.Site(graph, m, false);
      m.spec()
          .method()
          .startFromBase(site, () -> net.weight(m.target()))
          .forEach(
              (part, value) -> {
                graph.result(value);
                places.put(value.name(), m.part(part));
              });
    }
    if (places.isEmpty()) {
      return;
    }
    state.write(AdapterState.PARAMS, params);
    try (Session session = new Session(device, graph, placement, Optional.empty())) {
      Map<String, float[]> starts = session.run(Map.<String, Value>of());
      places.forEach((name, place) -> params.put(place, Numbers.of(starts.get(name))));
    }
  }
}
