package org.loranative.model.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.LoraDown;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Golden;

/** Layers that read the same input, where those of two streams take turns. */
class SharedInputsTest {
  private static DiffusionBase open(String name) {
    return DiffusionFamilies.open(Golden.FOLDER.resolve(name + "/base"));
  }

  /**
   * A product for each stream's q, k and v, with the block's wide layer where that reads what they
   * do: what they multiply by lies together.
   *
   * @param shared how many layers read an input together, and how often
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "flux-dev | {3=4, 4=2}",
        "chroma | {3=4, 4=2}",
        "sd3 | {3=4}",
        "sd35 | {3=5}",
        "zimage | {2=4, 3=4}"
      })
  void oneProductForAStream(String name, String shared) {
    DiffusionBase base = open(name);
    LoraSpec all = new LoraSpec(5, 5, 0, List.of(LoraSpec.ALL_LINEAR), false);
    Adapters adapters = new Adapters(all, DiffusionGraph.targets(base));
    Graph g =
        DiffusionGraph.prediction(base, adapters, DType.BF16, new DiffusionGraph.Size(1, 8, 8, 12));
    List<LoraDown> together =
        g.nodes().stream()
            .map(Graph.Node::op)
            .filter(LoraDown.class::isInstance)
            .map(LoraDown.class::cast)
            .toList();
    Map<Integer, Long> counts =
        together.stream()
            .collect(Collectors.groupingBy(d -> d.adapters().size(), Collectors.counting()));
    assertThat(counts.toString()).isEqualTo(shared);
    try (Device device = new CpuDevice(1);
        AdapterState state = new AdapterState(device, adapters, DType.BF16)) {
      for (LoraDown down : together) {
        long next = state.address(down.adapters().get(0).readA());
        for (Value a : down.adapters().stream().map(l -> l.readA()).toList()) {
          assertThat(state.address(a)).as(a.name()).isEqualTo(next);
          next += a.bytes();
        }
      }
    }
  }

  /** By this order random numbers are drawn and checkpoints are read. */
  @Test
  void theOrderOfLayersStays() {
    assertThat(
            DiffusionGraph.targets(open("flux-dev")).stream()
                .map(Adapters.Target::path)
                .filter(p -> p.startsWith("transformer.transformer_blocks.0.attn."))
                .map(p -> p.substring(p.indexOf("attn.") + 5)))
        .containsExactly(
            "to_q",
            "add_q_proj",
            "to_k",
            "add_k_proj",
            "to_v",
            "add_v_proj",
            "to_out.0",
            "to_add_out");
  }
}
