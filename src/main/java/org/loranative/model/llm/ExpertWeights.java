package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.loranative.UserException;
import org.loranative.graph.Shape;
import org.loranative.model.weights.Weights;

/**
 * The experts of a base's mixtures, however its file holds them: as one tensor for all
 * (transformers 5, GGUF), or each in its own ({@code mlp.experts.7.gate_proj.weight}), which are
 * stacked.
 *
 * @param names of their matrices
 */
record ExpertWeights(List<String> names) {

  /** Finds them, and checks their shapes. */
  static ExpertWeights find(LlmConfig config, Weights weights, String source) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < config.layers().size(); i++) {
      if (config.layers().get(i).feedForward() instanceof MixtureMlp mixture) {
        String layer = config.inLayer(i, "");
        boolean together = weights.has(layer + MixtureMlp.GATE_UP);
        Map<String, Shape> matrices = mixture.matrices(config.hidden(), together);
        for (String name : matrices.keySet()) {
          if (!weights.has(layer + name)) {
            weights.stack(layer + name, ofEach(layer + name, mixture.experts()));
          }
          require(source, weights, layer + name, matrices.get(name));
          names.add(layer + name);
        }
        require(
            source,
            weights,
            layer + MixtureMlp.ROUTER,
            Shape.of(mixture.experts(), config.hidden()));
      }
    }
    return new ExpertWeights(List.copyOf(names));
  }

  private static List<String> ofEach(String name, int experts) {
    return IntStream.range(0, experts)
        .mapToObj(e -> name.replace(".experts.", ".experts." + e + "."))
        .toList();
  }

  private static void require(String source, Weights weights, String name, Shape shape) {
    if (!weights.shape(name).equals(shape)) {
      throw new UserException(
          String.format(
              "%s: tensor %s is %s, but its config needs %s.",
              source, name, weights.shape(name), shape));
    }
  }

  /**
   * Refuses a name of {@code lora_targets} that means them.
   *
   * @param linears paths of the layers that can be adapted
   */
  void requireNone(String target, List<String> linears) {
    boolean another =
        linears.stream().anyMatch(path -> path.equals(target) || path.endsWith("." + target));
    boolean means =
        target.contains("experts")
            || target.contains("block_sparse_moe")
            || List.of("gate", "mlp.gate").contains(target)
            || target.matches("(mlp\\.)?(gate|up|down|gate_up)_proj|w[123]")
            || target.endsWith("mlp.gate");
    if (!names.isEmpty() && means && !another) {
      throw new UserException(
          "lora_targets: "
              + target
              + " means the experts of this model's mixtures or their router, which stay frozen;"
              + " adapters on them are not supported yet. Name layers of its attention (q_proj,"
              + " k_proj, v_proj, o_proj), or all-linear for every layer that can be adapted.");
    }
  }
}
