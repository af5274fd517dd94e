package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.ops.Act;
import org.loranative.model.Family;

/**
 * The numbers of a language model.
 *
 * @param prefix of the names of embedding, layers and last norm: {@code model.}, or {@code
 *     model.language_model.} inside a model that also sees
 * @param hidden C, channels of the residual stream
 * @param attentionScale of q kᵀ
 * @param attentionSoftcap cap of scores, 0 for none; likewise finalSoftcap for logits
 * @param rotary rotary dimensions of a head, at most headDim
 * @param layers one for each transformer layer
 * @param rope frequencies; localRope those of sliding layers (often the same)
 */
public record LlmConfig(
    Family family,
    String prefix,
    int hidden,
    int heads,
    int kvHeads,
    int headDim,
    int vocab,
    float normEps,
    Act activation,
    float attentionScale,
    float attentionSoftcap,
    float finalSoftcap,
    int rotary,
    int maxPositions,
    List<Layer> layers,
    RopeSpec rope,
    RopeSpec localRope) {

  /**
   * @param window of visible keys, 0 for all
   * @param local whether it rotates with {@code localRope}
   * @param rotates whether it rotates q and k at all
   */
  public record Layer(long window, boolean local, boolean rotates) {}

  public LlmConfig {
    layers = List.copyOf(layers);
  }

  /** The path of a layer's module. */
  String inLayer(int layer, String module) {
    return prefix + "layers." + layer + "." + module;
  }

  /** Paths of all linear layers but the head, in the model's order. */
  public List<String> linearPaths() {
    List<String> inLayer =
        family.fusedProjections()
            ? List.of("self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj", "mlp.down_proj")
            : List.of(
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
                "self_attn.o_proj",
                "mlp.gate_proj",
                "mlp.up_proj",
                "mlp.down_proj");
    List<String> paths = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      for (String name : inLayer) {
        paths.add(inLayer(i, name));
      }
    }
    return paths;
  }
}
