package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusersFolder;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.FlowScheduler;
import org.loranative.model.diffusion.parts.VaePart;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Weights;

/** A Z-Image in diffusers' layout. */
final class ZImageFolder {
  private static final String ENCODER = "text_encoder";

  private ZImageFolder() {}

  static DiffusionBase open(DiffusersFolder folder, BaseOptions options) {
    Fitting.requireNoPrediction(options, ZImage.LABEL);
    Fitting.requireNoEncoders(options, folder);
    folder.require(ZImage.LABEL, "", "transformer", "vae", ENCODER);
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.putAll(folder.tensors("transformer", "diffusion_pytorch_model"));
    VaePart vae = VaePart.of(folder, options);
    entries.putAll(vae.tensors());
    entries.putAll(folder.tensors(ENCODER, "model"));
    LlmBase model = LlmBase.open(folder.folder().resolve(ENCODER));
    String inside = model.config().prefix();
    Path tokenizer = options.tokenizer().orElse(folder.folder().resolve("tokenizer"));
    FlowMatching flow =
        FlowScheduler.read(
            folder.folder().resolve("scheduler/scheduler_config.json"),
            FlowSpacing.EVEN,
            TimestepSampling.LOGIT_NORMAL);
    ZImage family =
        new ZImage(
            new ZImageEncoders(model, tokenizer),
            new ZImageDenoiser(ZImageConfig.read(folder.config("transformer"))),
            flow);
    return ZImage.checked(
        folder.folder(),
        family,
        vae.config(),
        new Weights(
            folder.folder().toString(),
            entries,
            name -> name.startsWith(inside) ? ENCODER + "." + name : vae.fileName().apply(name)));
  }
}
