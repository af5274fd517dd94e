package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowShift;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.lora.LoraSpec;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionFamily;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.weights.Weights;

/** Z-Image and Z-Image-Turbo (Tongyi-MAI 2025). */
record ZImage(ZImageEncoders text, ZImageDenoiser denoiser, FlowMatching flow)
    implements DiffusionFamily {
  /** Of Turbo's scheduler, by which it is known; the model that it was distilled from has 6. */
  static final FlowShift TURBO = new FlowShift.Constant(3);

  static final String LABEL = "Z-Image";
  private static final String BLOCK =
      "transformer\\.(layers|noise_refiner|context_refiner)\\.\\d+\\.";
  private static final String ATTENTION = BLOCK + "attention\\.(to_q|to_k|to_v|to_out\\.0)";
  private static final String FORWARD = BLOCK + "feed_forward\\.w[123]";

  /** The family, whose parts fit, as a base. */
  static DiffusionBase checked(Path path, ZImage family, VaeConfig vae, Weights weights) {
    ZImageConfig c = family.denoiser().config();
    Fitting.require(
        path, c.channels(), vae.latentChannels(), "the transformer's in_channels", "the VAE's");
    Fitting.require(
        path,
        c.textWidth(),
        family.text().model().config().hidden(),
        "cap_feat_dim",
        "the text encoder's hidden_size");
    Fitting.require(
        path,
        c.axes().stream().mapToInt(Integer::intValue).sum(),
        c.headDim(),
        "the sum of axes_dims",
        "the width of a head");
    return new DiffusionBase(path, family, vae, weights)
        .requireWhole(ZImage::isTransformers, LABEL);
  }

  /** Whether a tensor is one that must be read; an original has a norm that nothing uses. */
  private static boolean isTransformers(String name) {
    return name.startsWith(OriginalTensors.PREFIX)
        || name.startsWith(OriginalTensors.ROOT) && !name.endsWith("norm_final.weight");
  }

  private boolean turbo() {
    return flow.shift().equals(TURBO);
  }

  @Override
  public String name() {
    return "zimage";
  }

  @Override
  public NoiseProcess noise() {
    return flow;
  }

  @Override
  public LayerNames names() {
    return new ZImageNames();
  }

  @Override
  public LayerBlocks blocks() {
    return denoiser.config().blocks();
  }

  @Override
  public Map<String, String> groups() {
    Map<String, String> groups = new LinkedHashMap<>();
    groups.put("attention", ATTENTION);
    groups.put("dit-attention", ATTENTION);
    groups.put("dit-ff", FORWARD);
    groups.put("dit-modulation", "transformer\\..*adaLN_modulation\\.\\d");
    groups.put(LoraSpec.ALL_LINEAR, ATTENTION + "|" + FORWARD);
    return groups;
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of("ss_base_model_version", "zimage", "modelspec.architecture", "z-image/lora");
  }

  @Override
  public Habit drawing() {
    return turbo() ? new Habit("euler", 9, 1) : new Habit("euler", 50, 5);
  }

  @Override
  public Habit previews() {
    return turbo() ? new Habit("euler", 9, 1) : new Habit("euler", 25, 5);
  }
}
