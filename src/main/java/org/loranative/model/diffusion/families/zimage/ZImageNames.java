package org.loranative.model.diffusion.families.zimage;

import java.util.List;
import org.loranative.lora.LayerNames;
import org.loranative.model.diffusion.dit.OriginalTensors;

/**
 * What tools call the layers: diffusers' names, which musubi-tuner writes behind {@code lora_unet_}
 * and ai-toolkit behind {@code diffusion_model.}; ComfyUI and diffusers read both.
 */
record ZImageNames() implements LayerNames {
  @Override
  public String kohya(String path) {
    return "lora_unet_" + inside(path).replace('.', '_');
  }

  private static String inside(String path) {
    return path.substring(OriginalTensors.PREFIX.length());
  }

  @Override
  public List<String> read(String path) {
    String inside = inside(path);
    return List.of(
        kohya(path),
        path,
        inside,
        "base_model.model." + inside,
        "diffusion_model." + inside,
        "lora_transformer_" + inside.replace('.', '_'));
  }

  @Override
  public List<String> parts() {
    return List.of("transformer");
  }
}
