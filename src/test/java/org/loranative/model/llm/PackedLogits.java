package org.loranative.model.llm;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.testing.PlacedModel;

/** What a base answers, in f32, to documents that lie in one row. */
final class PackedLogits {
  private PackedLogits() {}

  /** Without adapters, [tokens of all documents, V]. */
  static float[] of(Device device, LlmBase base, int[]... documents) {
    return of(device, base, Adapters.none(), new float[0], documents);
  }

  /** Likewise with adapters, whose numbers are {@code params}. */
  static float[] of(
      Device device, LlmBase base, Adapters adapters, float[] params, int[]... documents) {
    int tokens = Arrays.stream(documents).mapToInt(d -> d.length).sum();
    Map<String, int[]> inputs = new HashMap<>();
    List.of(LlmGraph.IDS, LlmGraph.POSITIONS, LlmGraph.DOC_START)
        .forEach(name -> inputs.put(name, new int[tokens]));
    int at = 0;
    for (int[] d : documents) {
      for (int i = 0; i < d.length; i++) {
        inputs.get(LlmGraph.IDS)[at + i] = d[i];
        inputs.get(LlmGraph.POSITIONS)[at + i] = i;
        inputs.get(LlmGraph.DOC_START)[at + i] = at;
      }
      at += d.length;
    }
    Graph graph = LlmGraph.logits(base, adapters, DType.F32, tokens, tokens);
    try (PlacedModel model =
        new PlacedModel(device, base.weights(), adapters, base.constants(), graph)) {
      model.state().write(AdapterState.PARAMS, Numbers.of(params));
      return model.run(graph, inputs, 1, 1).get("logits");
    }
  }
}
