package org.loranative.model.diffusion.families.chroma;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.RotaryGroups;
import org.loranative.model.diffusion.dit.TransformerNames;
import org.loranative.model.weights.Weights;

/** Chroma (lodestones 2025). */
record Chroma(ChromaEncoders text, ChromaDenoiser denoiser, FlowMatching flow)
    implements DiffusionFamily {
  static final String LABEL = "Chroma";

  /** The family, whose parts fit, as a base. */
  static DiffusionBase checked(Path path, Chroma family, VaeConfig vae, Weights weights) {
    family
        .denoiser()
        .config()
        .transformer()
        .requireFit(path, vae, family.text().t5().config().hidden());
    return new DiffusionBase(path, family, vae, weights)
        .requireWhole(
            name ->
                name.startsWith(OriginalTensors.PREFIX) || name.startsWith(OriginalTensors.ROOT),
            LABEL);
  }

  @Override
  public String name() {
    return "chroma";
  }

  @Override
  public NoiseProcess noise() {
    return flow;
  }

  @Override
  public LayerNames names() {
    return new TransformerNames(
        new ChromaOriginalNames(denoiser.config().transformer()), List.of("transformer"));
  }

  @Override
  public LayerBlocks blocks() {
    return denoiser.config().transformer().blocks();
  }

  @Override
  public Map<String, String> groups() {
    return RotaryGroups.of("transformer\\.distilled_guidance_layer\\..*");
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of("ss_base_model_version", "chroma", "modelspec.architecture", "chroma/lora");
  }

  /** As diffusers' pipeline draws. */
  @Override
  public Habit drawing() {
    return new Habit("euler", 35, 5);
  }

  @Override
  public Habit previews() {
    return new Habit("euler", 20, 5);
  }
}
