package org.loranative.model.diffusion.families.flux;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.lora.LoraSpec;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.Guidance;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.RotaryTransformer;
import org.loranative.model.diffusion.dit.TransformerNames;
import org.loranative.model.weights.Weights;

/** FLUX.1 dev and schnell. */
record Flux(FluxEncoders text, FluxDenoiser denoiser, FlowMatching flow)
    implements DiffusionFamily {
  static final String LABEL = "FLUX.1";
  private static final String BLOCK = "transformer\\.(single_)?transformer_blocks\\.\\d+\\.";
  private static final String ATTENTION =
      BLOCK + "attn\\.(to_q|to_k|to_v|to_out\\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)";

  /** In blocks of one stream the way out is the attention's and the feed-forward's. */
  private static final String FORWARD = BLOCK + "(ff(_context)?\\.net\\..*|proj_mlp|proj_out)";

  /** The family, whose parts fit, as a base. */
  static DiffusionBase checked(Path path, Flux family, VaeConfig vae, Weights weights) {
    FluxConfig c = family.denoiser().config();
    int token = RotaryTransformer.PATCH * RotaryTransformer.PATCH * vae.latentChannels();
    Fitting.require(path, c.inChannels(), token, "the transformer's in_channels", "2 x 2 latents");
    Fitting.require(
        path, c.outChannels(), token, "the transformer's out_channels", "2 x 2 latents");
    Fitting.require(
        path, c.pooledWidth(), family.text().clip().hidden(), "pooled_projection_dim", "CLIP's");
    Fitting.require(
        path,
        c.textWidth(),
        family.text().t5().config().hidden(),
        "joint_attention_dim",
        "T5's d_model");
    Fitting.require(
        path,
        c.transformer().axes().stream().mapToInt(Integer::intValue).sum(),
        c.transformer().headDim(),
        "the sum of axes_dims_rope",
        "attention_head_dim");
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
    return Map.of(
        "attention",
        ATTENTION,
        "dit-attention",
        ATTENTION,
        "dit-ff",
        FORWARD,
        "dit-modulation",
        "transformer\\.(.*\\.)?norm(1|1_context|_out)?\\.linear",
        "text-encoder",
        "text_encoder\\.encoder\\..*",
        LoraSpec.ALL_LINEAR,
        ATTENTION + "|" + FORWARD);
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
