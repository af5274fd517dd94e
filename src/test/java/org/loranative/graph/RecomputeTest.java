package org.loranative.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.loranative.testing.Golden;

/** What is run again of a language model's blocks; that it gives the same bits GoldenTest shows. */
class RecomputeTest {
  private static List<String> repeated(int rank) {
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("nf4/base"));
    LoraSpec spec = new LoraSpec(rank, 16, 0, List.of("all-linear"), false);
    Adapters adapters = new Adapters(spec, base.targets());
    Graph full = LlmGraph.training(base, adapters, DType.F32, new SupervisedObjective(), 24, 24);
    Map<String, Recompute.Mode> modes = new LinkedHashMap<>();
    Recompute.blocks(full).forEach(b -> modes.put(b, Recompute.Mode.EVERYTHING));
    List<Graph.Node> nodes = Recompute.apply(full, modes).nodes();
    return nodes.subList(Recompute.lossIndex(nodes), nodes.size()).stream()
        .filter(n -> n.op() instanceof LoraLinear)
        .map(n -> ((LoraLinear) n.op()).y().name())
        .toList();
  }

  /** Of its last layer backward reads the low-rank side alone, which is kept while it is small. */
  @Test
  void theLastProductOfABlockIsNotRunAgain() {
    assertThat(repeated(4))
        .contains("model.layers.1.self_attn.o_proj'")
        .noneMatch(name -> name.endsWith("down_proj'"));
    assertThat(repeated(32))
        .contains("model.layers.1.mlp.down_proj'", "model.layers.0.mlp.down_proj'");
  }
}
