package org.loranative.lora;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names that kohya's scripts give to modules of diffusion models. */
final class KohyaNames {
  /** Residual blocks of each level of every Stable Diffusion, which number the SGM blocks. */
  private static final int RESNETS = 2;

  private static final Pattern BLOCK =
      Pattern.compile("(down_blocks|up_blocks)\\.(\\d+)\\.attentions\\.(\\d+)\\.(.*)");

  private KohyaNames() {}

  /** Every name that a module's keys may begin with. */
  static List<String> of(String path) {
    List<String> names = new ArrayList<>();
    int dot = path.indexOf('.');
    String inside = path.substring(dot + 1);
    String flat = inside.replace('.', '_');
    switch (path.substring(0, dot)) {
      case "unet" -> {
        names.add("lora_unet_" + flat);
        names.add("lora_unet_" + sgm(inside).replace('.', '_'));
      }
      case "text_encoder" -> {
        names.add("lora_te_text_model_" + flat);
        names.add("lora_te1_text_model_" + flat);
        names.add("lora_te1_" + flat);
      }
      default -> {
        names.add("lora_te2_text_model_" + flat);
        names.add("lora_te2_" + flat);
      }
    }
    return names;
  }

  /** The name that kohya's scripts write for a base of its kind. */
  static String written(String path, boolean sdxl) {
    int dot = path.indexOf('.');
    String inside = path.substring(dot + 1);
    return switch (path.substring(0, dot)) {
      case "unet" -> "lora_unet_" + (sdxl ? sgm(inside) : inside).replace('.', '_');
      case "text_encoder" -> (sdxl ? "lora_te1" : "lora_te") + textName(inside);
      default -> "lora_te2" + textName(inside);
    };
  }

  private static String textName(String inside) {
    return "_text_model_" + inside.replace('.', '_');
  }

  /** What Stability's own code calls the block, as kohya names it for SDXL. */
  private static String sgm(String path) {
    if (path.startsWith("mid_block.attentions.0.")) {
      return "middle_block.1." + path.substring("mid_block.attentions.0.".length());
    }
    Matcher m = BLOCK.matcher(path);
    if (!m.matches()) {
      return path;
    }
    boolean down = m.group(1).equals("down_blocks");
    int index = Integer.parseInt(m.group(2)) * (RESNETS + 1) + Integer.parseInt(m.group(3));
    return (down ? "input_blocks." + (index + 1) : "output_blocks." + index) + ".1." + m.group(4);
  }
}
