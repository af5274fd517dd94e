package org.loranative.testing;

import java.util.Map;
import java.util.stream.IntStream;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.model.weights.Weights;

/** What is made of a base that is stored in blocks or with scales. */
public final class StoredBase {
  private StoredBase() {}

  /** A matrix's numbers, as the CPU holds them in f32. */
  public static float[] numbers(Weights weights, String name) {
    Graph g = new Graph();
    Value w = g.named(Kind.WEIGHT, name, DType.F32, weights.shape(name));
    try (Device device = new CpuDevice(1);
        LoadedWeights loaded = weights.load(g.named(), device);
        HostBuffer host = new HostBuffer(w.bytes())) {
      device.download(host, loaded.address(w), w.bytes());
      float[] numbers = new float[Math.toIntExact(w.shape().size())];
      host.view().asFloatBuffer().get(numbers);
      return numbers;
    }
  }

  /**
   * Logits of one document.
   *
   * @param graph of the base's logits of so many tokens
   */
  public static float[] logits(String deviceName, LlmBase base, Graph graph, int[] ids) {
    Map<String, int[]> inputs =
        Map.of(
            LlmGraph.IDS,
            ids,
            LlmGraph.POSITIONS,
            IntStream.range(0, ids.length).toArray(),
            LlmGraph.DOC_START,
            new int[ids.length]);
    try (Device device = TestDevices.open(deviceName);
        PlacedModel placed =
            new PlacedModel(device, base.weights(), Adapters.none(), base.constants(), graph)) {
      return placed.run(graph, inputs, 1, 1).values().iterator().next();
    }
  }
}
