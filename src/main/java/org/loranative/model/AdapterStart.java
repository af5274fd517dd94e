package org.loranative.model;

import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.LoadedWeights;
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
      float[] params) {
    Phase phase = new Phase("layers' starts computed", adapters.modules().size());
    for (Adapters.Module m : adapters.modules()) {
      phase.next();
      m.spec()
          .method()
          .startFromWeight(m, () -> numbers(weights, m.target()))
          .forEach(
              (part, numbers) ->
                  System.arraycopy(
                      numbers, 0, params, (int) m.part(part).offset(), numbers.length));
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
      places.forEach(
          (name, place) -> {
            float[] numbers = starts.get(name);
            System.arraycopy(numbers, 0, params, (int) place.offset(), numbers.length);
          });
    }
  }

  /** A linear layer's frozen weight as the base's files have it; on the host, beside the plan. */
  private static float[] numbers(Weights weights, Adapters.Target layer) {
    String name = layer.path() + ".weight";
    Value v = new Graph().named(Kind.WEIGHT, name, DType.F32, weights.shape(name));
    try (CpuDevice device = new CpuDevice(CpuDevice.physicalCores());
        LoadedWeights loaded = weights.load(Map.of(name, v), device);
        HostBuffer host = new HostBuffer(v.bytes())) {
      device.download(host, loaded.address(v), v.bytes());
      float[] numbers = new float[Math.toIntExact(v.shape().size())];
      host.view().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(numbers);
      return numbers;
    }
  }
}
