package org.loranative.model.diffusion.families.flux;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.Guidance;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.RotaryGroups;
import org.loranative.model.diffusion.dit.TransformerNames;
import org.loranative.model.weights.Weights;

/** FLUX.1 dev and schnell. */
record Flux(FluxEncoders text, FluxDenoiser denoiser, FlowMatching flow)
    implements DiffusionFamily {
  static final String LABEL = "FLUX.1";
  private static final String MODULATION = "transformer\\.(.*\\.)?norm(1|1_context|_out)?\\.linear";

  /** The family, whose parts fit, as a base. */
  static DiffusionBase checked(Path path, Flux family, VaeConfig vae, Weights weights) {
    FluxConfig c = family.denoiser().config();
    Fitting.require(
        path, c.pooledWidth(), family.text().clip().hidden(), "pooled_projection_dim", "CLIP's");
    c.transformer().requireFit(path, vae, family.text().t5().config().hidden());
    return new DiffusionBase(path, family, vae, weights)
        .requireWhole(
            name ->
                name.startsWith(OriginalTensors.PREFIX) || name.startsWith(OriginalTensors.ROOT),
            LABEL + " dev and schnell");
  }

  @Override
  public String name() {
    return "flux";
  }

  @Override
  public NoiseProcess noise() {
    return flow;
  }

  @Override
  public LayerNames names() {
    return new TransformerNames(
        new FluxOriginalNames(denoiser.config().transformer()),
        List.of("transformer", "text_encoder"));
  }

  @Override
  public LayerBlocks blocks() {
    return denoiser.config().transformer().blocks();
  }

  @Override
  public Map<String, String> groups() {
    Map<String, String> groups = new LinkedHashMap<>(RotaryGroups.of(MODULATION));
    groups.put("text-encoder", "text_encoder\\.encoder\\..*");
    return groups;
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of(
        "ss_base_model_version",
        "flux1",
        "modelspec.architecture",
        denoiser.config().told() ? "flux-1-dev/lora" : "flux-1-schnell/lora");
  }

  @Override
  public Guidance guidance() {
    return denoiser.config().told() ? Guidance.TOLD : Guidance.NONE;
  }

  @Override
  public Habit drawing() {
    return denoiser.config().told() ? new Habit("euler", 28, 3.5) : new Habit("euler", 4, 1);
  }

  @Override
  public Habit previews() {
    return denoiser.config().told() ? new Habit("euler", 20, 3.5) : new Habit("euler", 4, 1);
  }
}
