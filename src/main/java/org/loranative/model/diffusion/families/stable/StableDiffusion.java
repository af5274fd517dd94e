package org.loranative.model.diffusion.families.stable;

import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.lora.LoraSpec;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionFamily;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Stable Diffusion 1, 2 and XL (Rombach et al. 2022; Podell et al. 2023). */
record StableDiffusion(ClipEncoders text, UnetDenoiser denoiser, NoiseSchedule noise)
    implements DiffusionFamily {
  private static final Logger log = LoggerFactory.getLogger(StableDiffusion.class);

  /** Width of OpenCLIP's ViT-H, which Stable Diffusion 2 reads. */
  private static final int VERSION_2_WIDTH = 1024;

  private static final String UNET = "unet\\.";
  private static final String TRANSFORMER = UNET + ".*attentions\\.\\d+\\.";
  private static final String ATTENTION = TRANSFORMER + ".*attn[12]\\.(to_q|to_k|to_v|to_out\\.0)";
  private static final String TEXT = "text_encoder(_2)?\\.encoder\\..*";

  private static final Map<String, String> GROUPS =
      Map.of(
          "attention",
          ATTENTION,
          "unet-attention",
          ATTENTION,
          "unet-ff",
          TRANSFORMER + ".*\\.ff\\.net\\..*",
          "unet-proj",
          TRANSFORMER + "(proj_in|proj_out)",
          "unet-conv",
          UNET + ".*\\.(conv1|conv2|conv_shortcut|(down|up)samplers\\.0\\.conv)",
          "text-encoder",
          TEXT,
          // What kohya's scripts adapt: every linear layer of transformers and text encoders.
          "kohya",
          TRANSFORMER + ".*|" + TEXT,
          LoraSpec.ALL_LINEAR,
          TRANSFORMER + ".*");

  /** The schedule with the prediction that the user named; says which it is and by whom. */
  static NoiseSchedule chosen(BaseOptions options, NoiseSchedule told, String by) {
    Prediction chosen = options.prediction().orElse(told.prediction());
    log.info(
        "base: predicts {} ({}){}",
        chosen.label(),
        options.prediction().isPresent() ? "prediction_type" : by,
        chosen == told.prediction() ? "" : ", against " + by);
    return told.predicting(chosen);
  }

  boolean isXl() {
    return text.second().isPresent();
  }

  /** Whether it is a Stable Diffusion 2. */
  private boolean isVersion2() {
    return !isXl() && denoiser.config().contextWidth() == VERSION_2_WIDTH;
  }

  @Override
  public String name() {
    return isXl() ? "sdxl" : "sd";
  }

  @Override
  public LayerNames names() {
    return new StableDiffusionNames(isXl());
  }

  @Override
  public LayerBlocks blocks() {
    return new UnetBlocks(denoiser.config());
  }

  @Override
  public Map<String, String> groups() {
    return GROUPS;
  }

  @Override
  public Map<String, String> metadata() {
    boolean velocity = noise.prediction() == Prediction.V_PREDICTION;
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(
        "ss_base_model_version",
        isXl() ? "sdxl_base_v1-0" : (isVersion2() ? "sd_v2" : "sd_v1") + (velocity ? "_v" : ""));
    metadata.put("ss_v2", isVersion2() ? "True" : "False");
    metadata.put("ss_v_parameterization", velocity ? "True" : "False");
    metadata.put("modelspec.prediction_type", velocity ? "v" : "epsilon");
    return metadata;
  }

  @Override
  public Habit drawing() {
    return new Habit("ddim", 25, 7);
  }

  @Override
  public Habit previews() {
    return new Habit("dpmpp_2m", 20, 7);
  }
}
