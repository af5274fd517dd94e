package org.loranative.model.diffusion.dit;

import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.lora.LoraSpec;

/** Names that stand for many layers of a {@link RotaryTransformer} in lora_targets. */
public final class RotaryGroups {
  private static final String BLOCK = "transformer\\.(single_)?transformer_blocks\\.\\d+\\.";
  private static final String ATTENTION =
      BLOCK + "attn\\.(to_q|to_k|to_v|to_out\\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)";

  /** In blocks of one stream the way out is the attention's and the feed-forward's. */
  private static final String FORWARD = BLOCK + "(ff(_context)?\\.net\\..*|proj_mlp|proj_out)";

  private RotaryGroups() {}

  /**
   * @param modulation a pattern of the layers that make the modulations
   */
  public static Map<String, String> of(String modulation) {
    Map<String, String> groups = new LinkedHashMap<>();
    groups.put("attention", ATTENTION);
    groups.put("dit-attention", ATTENTION);
    groups.put("dit-ff", FORWARD);
    groups.put("dit-modulation", modulation);
    groups.put(LoraSpec.ALL_LINEAR, ATTENTION + "|" + FORWARD);
    return groups;
  }
}
