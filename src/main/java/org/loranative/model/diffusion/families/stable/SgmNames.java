package org.loranative.model.diffusion.families.stable;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Stability's own code (and the checkpoints of one file) calls the UNet's modules, which this
 * project names as diffusers does.
 */
final class SgmNames {
  /** What the names of the U-Net in such a file begin with. */
  static final String UNET = "model.diffusion_model.";

  /** Residual blocks of each level of every Stable Diffusion, which number the blocks. */
  private static final int RESNETS = 2;

  private static final Pattern BLOCK =
      Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(attentions|resnets)\\.(\\d+)\\.(.*)");
  private static final Pattern SAMPLER =
      Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(?:down|up)samplers\\.0\\.conv(.*)");
  private static final Pattern MIDDLE =
      Pattern.compile("mid_block\\.(attentions|resnets)\\.(\\d+)\\.(.*)");

  /** Parts of residual blocks. */
  private static final Map<String, String> RESNET =
      Map.of(
          "norm1", "in_layers.0",
          "conv1", "in_layers.2",
          "time_emb_proj", "emb_layers.1",
          "norm2", "out_layers.0",
          "conv2", "out_layers.3",
          "conv_shortcut", "skip_connection");

  /** Modules outside of blocks. */
  private static final Map<String, String> OUTSIDE =
      Map.of(
          "conv_in", "input_blocks.0.0",
          "time_embedding.linear_1", "time_embed.0",
          "time_embedding.linear_2", "time_embed.2",
          "add_embedding.linear_1", "label_emb.0.0",
          "add_embedding.linear_2", "label_emb.0.2",
          "conv_norm_out", "out.0",
          "conv_out", "out.2");

  private SgmNames() {}

  /**
   * The names that a UNet module (or tensor: {@code conv_in.weight}) may have there: an upsampler's
   * depends on whether its level attends.
   */
  static List<String> of(String path) {
    Matcher block = BLOCK.matcher(path);
    if (block.matches()) {
      boolean attention = block.group(3).equals("attentions");
      int number =
          Integer.parseInt(block.group(2)) * (RESNETS + 1) + Integer.parseInt(block.group(4));
      String place =
          block.group(1).equals("down")
              ? "input_blocks." + (number + 1)
              : "output_blocks." + number;
      return List.of(place + (attention ? ".1." : ".0.") + inside(attention, block.group(5)));
    }
    Matcher middle = MIDDLE.matcher(path);
    if (middle.matches()) {
      boolean attention = middle.group(1).equals("attentions");
      int place = attention ? 1 : 2 * Integer.parseInt(middle.group(2));
      return List.of("middle_block." + place + "." + inside(attention, middle.group(3)));
    }
    Matcher sampler = SAMPLER.matcher(path);
    if (sampler.matches()) {
      int level = Integer.parseInt(sampler.group(2)) + 1;
      int last = level * (RESNETS + 1);
      String rest = sampler.group(3);
      return sampler.group(1).equals("down")
          ? List.of("input_blocks." + last + ".0.op" + rest)
          : List.of(
              "output_blocks." + (last - 1) + ".2.conv" + rest,
              "output_blocks." + (last - 1) + ".1.conv" + rest);
    }
    return List.of(renamed(OUTSIDE, path));
  }

  private static String inside(boolean attention, String rest) {
    return attention ? rest : renamed(RESNET, rest);
  }

  /** With its beginning replaced, if the map has it. */
  private static String renamed(Map<String, String> names, String path) {
    for (Map.Entry<String, String> name : names.entrySet()) {
      if (path.equals(name.getKey()) || path.startsWith(name.getKey() + ".")) {
        return name.getValue() + path.substring(name.getKey().length());
      }
    }
    return path;
  }
}
