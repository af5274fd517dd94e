package org.loranative.model.diffusion.families.stable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.loranative.lora.LayerNames;

/**
 * The names that tools give to Stable Diffusion's layers: kohya's, diffusers' (new and old), PEFT's
 * and those of ComfyUI and OneTrainer, which put a part's name before the checkpoint's own.
 *
 * @param xl whether it is an SDXL, whose UNet kohya's scripts name as the original code does
 */
record StableDiffusionNames(boolean xl) implements LayerNames {
  /** What diffusers' first adapters, which hung on attention processors, called its layers. */
  private static final Map<String, String> PROCESSOR =
      Map.of(
          "to_q", "processor.to_q",
          "to_k", "processor.to_k",
          "to_v", "processor.to_v",
          "to_out.0", "processor.to_out");

  /** Likewise of text encoders. */
  private static final Map<String, String> OLD_TEXT =
      Map.of("q_proj", "to_q", "k_proj", "to_k", "v_proj", "to_v", "out_proj", "to_out");

  @Override
  public List<String> parts() {
    return List.of("unet", "text_encoder", "text_encoder_2");
  }

  @Override
  public String kohya(String path) {
    return KohyaNames.written(path, xl);
  }

  @Override
  public List<String> read(String path) {
    List<String> names = new ArrayList<>(KohyaNames.of(path));
    String inside = path.substring(path.indexOf('.') + 1);
    names.add(path);
    if (path.startsWith("unet.")) {
      unet(inside, names);
    } else {
      boolean first = path.startsWith("text_encoder.");
      text(first ? "text_encoder." : "text_encoder_2.", inside, names);
      for (String part : first ? List.of("clip_l.", "clip_h.") : List.of("clip_g.")) {
        for (String place : List.of("", "transformer.")) {
          text(part + place, inside, names);
          text("text_encoders." + part + place, inside, names);
        }
      }
    }
    return names;
  }

  private static void unet(String inside, List<String> names) {
    List<String> every = new ArrayList<>(List.of(inside));
    PROCESSOR.forEach(
        (now, old) -> {
          if (inside.endsWith("." + now)) {
            every.add(inside.substring(0, inside.length() - now.length()) + old);
          }
        });
    every.addAll(SgmNames.of(inside));
    for (String name : every) {
      for (String part : List.of("", "unet.", "diffusion_model.", "base_model.model.")) {
        names.add(part + name);
      }
    }
    names.add("lycoris_" + inside.replace('.', '_'));
  }

  private static void text(String part, String inside, List<String> names) {
    List<String> every = new ArrayList<>(List.of(inside));
    OLD_TEXT.forEach(
        (now, old) -> {
          if (inside.endsWith("." + now)) {
            every.add(inside.substring(0, inside.length() - now.length()) + old);
          }
        });
    for (String name : every) {
      names.add(part + name);
      names.add(part + "text_model." + name);
    }
  }
}
