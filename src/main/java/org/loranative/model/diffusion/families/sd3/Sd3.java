package org.loranative.model.diffusion.families.sd3;

import java.util.List;
import java.util.Map;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.lora.LoraSpec;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.dit.TransformerBlocks;
import org.loranative.model.diffusion.dit.TransformerBlocks.Row;
import org.loranative.model.diffusion.dit.TransformerNames;

/** Stable Diffusion 3 and 3.5 (Esser et al. 2024). */
record Sd3(Sd3Encoders text, MmditDenoiser denoiser, FlowMatching flow) implements DiffusionFamily {
  private static final String BLOCK = "transformer\\.transformer_blocks\\.\\d+\\.";
  private static final String FORWARD = BLOCK + "ff(_context)?\\.net\\..*";

  @Override
  public String name() {
    return "sd3";
  }

  @Override
  public NoiseProcess noise() {
    return flow;
  }

  @Override
  public LayerNames names() {
    return new TransformerNames(
        denoiser.config().names(), List.of("transformer", "text_encoder", "text_encoder_2"));
  }

  @Override
  public LayerBlocks blocks() {
    return new TransformerBlocks(
        List.of(new Row("JOINT", "transformer_blocks", denoiser.config().layers())));
  }

  @Override
  public Map<String, String> groups() {
    String attention = attention();
    return Map.of(
        "attention",
        attention,
        "dit-attention",
        attention,
        "dit-ff",
        FORWARD,
        "dit-modulation",
        "transformer\\.(.*\\.)?norm(1|1_context|_out)\\.linear",
        "text-encoder",
        "text_encoder(_2)?\\.encoder\\..*",
        LoraSpec.ALL_LINEAR,
        attention + "|" + FORWARD);
  }

  /** Every projection but the last block's queries of text, whose answers nothing reads. */
  private String attention() {
    String dead = BLOCK.replace("\\d+", String.valueOf(denoiser.config().layers() - 1));
    return "(?!"
        + dead
        + "attn\\.add_q_proj)"
        + BLOCK
        + "attn2?\\.(to_q|to_k|to_v|to_out\\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)";
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of(
        "ss_base_model_version", "sd3",
        "modelspec.architecture", "stable-diffusion-3/lora");
  }

  @Override
  public Habit drawing() {
    return new Habit("euler", 28, 7);
  }

  @Override
  public Habit previews() {
    return new Habit("euler", 20, 5);
  }
}
