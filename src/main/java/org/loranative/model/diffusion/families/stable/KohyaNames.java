package org.loranative.model.diffusion.families.stable;

import java.util.ArrayList;
import java.util.List;

/** The names that kohya's scripts give to modules of diffusion models. */
final class KohyaNames {
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
        SgmNames.of(inside).forEach(n -> names.add("lora_unet_" + n.replace('.', '_')));
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
      case "unet" -> "lora_unet_" + (sdxl ? SgmNames.of(inside).get(0) : inside).replace('.', '_');
      case "text_encoder" -> (sdxl ? "lora_te1" : "lora_te") + textName(inside);
      default -> "lora_te2" + textName(inside);
    };
  }

  private static String textName(String inside) {
    return "_text_model_" + inside.replace('.', '_');
  }
}
