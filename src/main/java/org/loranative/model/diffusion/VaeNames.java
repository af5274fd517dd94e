package org.loranative.model.diffusion;

import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What checkpoints of one file call the VAE's tensors. */
public final class VaeNames {
  public static final String ROOT = "first_stage_model.";

  private static final Pattern BLOCK =
      Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(resnets\\.(\\d+)|(?:down|up)samplers\\.0)\\.");
  private static final Map<String, String> MIDDLE =
      Map.of(
          "mid_block.resnets.0.", "mid.block_1.",
          "mid_block.resnets.1.", "mid.block_2.",
          "mid_block.attentions.0.group_norm.", "mid.attn_1.norm.",
          "mid_block.attentions.0.to_q.", "mid.attn_1.q.",
          "mid_block.attentions.0.to_k.", "mid.attn_1.k.",
          "mid_block.attentions.0.to_v.", "mid.attn_1.v.",
          "mid_block.attentions.0.to_out.0.", "mid.attn_1.proj_out.",
          "conv_norm_out.", "norm_out.",
          "conv_shortcut.", "nin_shortcut.");

  private VaeNames() {}

  /**
   * @param tensors of the file: its decoder counts levels from the inside out
   */
  public static String of(String name, Set<String> tensors) {
    return of(name, levels(tensors));
  }

  /**
   * @param levels of the decoder, which the file counts from the inside out
   */
  public static String of(String name, int levels) {
    String result = name;
    Matcher m = BLOCK.matcher(name);
    if (m.find()) {
      boolean down = m.group(1).equals("down");
      int level = Integer.parseInt(m.group(2));
      if (!down) {
        level = levels - 1 - level;
      }
      String part = m.group(4) != null ? "block." + m.group(4) : down ? "downsample" : "upsample";
      result =
          name.substring(0, m.start())
              + m.group(1)
              + "."
              + level
              + "."
              + part
              + "."
              + name.substring(m.end());
    }
    for (Map.Entry<String, String> renamed : MIDDLE.entrySet()) {
      result = result.replace(renamed.getKey(), renamed.getValue());
    }
    return ROOT + result;
  }

  private static int levels(Set<String> tensors) {
    int n = 0;
    while (tensors.contains(ROOT + "decoder.up." + n + ".block.0.conv1.weight")) {
      n++;
    }
    return n;
  }
}
