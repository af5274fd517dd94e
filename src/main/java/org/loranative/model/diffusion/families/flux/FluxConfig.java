package org.loranative.model.diffusion.families.flux;

import java.nio.file.Path;
import org.loranative.model.diffusion.PartConfig;
import org.loranative.model.diffusion.dit.RotaryTransformer;

/**
 * Numbers of a FluxTransformer2DModel.
 *
 * @param pooledWidth of the whole text's state
 * @param told whether it is told a guidance (dev), or was distilled to need none (schnell)
 */
record FluxConfig(RotaryTransformer transformer, int pooledWidth, boolean told) {

  static FluxConfig read(Path file) {
    PartConfig json = PartConfig.read(file);
    json.require("_class_name", "FluxTransformer2DModel");
    FluxConfig config =
        new FluxConfig(
            RotaryTransformer.read(json, false),
            json.integer("pooled_projection_dim", 768),
            json.flag("guidance_embeds", false));
    json.warnOfUnknownKeys();
    return config;
  }
}
