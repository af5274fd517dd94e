package org.loranative.model.diffusion.families.flux;

import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowShift;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.graph.ops.Act;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.RotaryFile;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Place;

/** A FLUX.1 in Black Forest Labs' layout, with text encoders and VAE in it or named beside it. */
final class FluxFile {
  private static final String ROOT = OriginalTensors.ROOT;
  private static final String CLIP = "text_encoders.clip_l.transformer.";
  private static final String T5 = "text_encoders.t5xxl.transformer.";
  private static final String INNER = "text_model.";

  /** What its relatives do without. */
  private static final String TIME = ROOT + "time_in.in_layer.weight";

  private static final String GUIDANCE = ROOT + "guidance_in.in_layer.weight";

  private final CheckpointFile file;

  private FluxFile(CheckpointFile file) {
    this.file = file;
  }

  static boolean isOne(TensorFile file) {
    return RotaryFile.isOne(file) && file.tensors().containsKey(TIME);
  }

  static DiffusionBase open(Path path, TensorFile all, BaseOptions options) {
    Fitting.requireNoPrediction(options, Flux.LABEL);
    FluxFile file = new FluxFile(new CheckpointFile(path, all.tensors()));
    file.requireTexts();
    return file.read(options);
  }

  private void requireTexts() {
    for (String encoder : new String[] {CLIP, T5}) {
      if (!file.hasAny(encoder)) {
        throw new UserException(
            file.path()
                + " holds no "
                + (encoder.equals(T5) ? "T5" : "CLIP")
                + " ("
                + encoder
                + "…). Name both text encoders with text_encoder_path (--text-encoder-path), such"
                + " as clip_l.safetensors and t5xxl_fp16.safetensors.");
      }
    }
  }

  private DiffusionBase read(BaseOptions options) {
    FluxConfig config = config();
    ClipConfig clip = ClipConfig.of(file, CLIP + INNER, Act.QUICK_GELU, false);
    FluxEncoders text =
        new FluxEncoders(
            clip,
            TokenizerPlace.beside(file.path(), options.tokenizer(), "tokenizer", clip),
            new T5Place(
                T5Config.of(file, T5),
                T5Place.beside(file.path(), options),
                FluxEncoders.T5,
                FluxEncoders.T5_TOKENS,
                false));
    FlowShift shift = config.told() ? FlowShift.BySize.FLUX : new FlowShift.Constant(1);
    Flux family =
        new Flux(
            text,
            new FluxDenoiser(config),
            new FlowMatching(1000, shift, FlowSpacing.EVEN, TimestepSampling.LOGIT_NORMAL));
    FluxOriginalNames names = new FluxOriginalNames(config.transformer());
    return Flux.checked(
        file.path(),
        family,
        RotaryFile.vae(file, options),
        OriginalTensors.weights(file, names, FluxFile::encoderName));
  }

  private FluxConfig config() {
    return new FluxConfig(
        RotaryFile.transformer(file),
        file.side(ROOT + "vector_in.in_layer.weight", 1),
        file.has(GUIDANCE));
  }

  /** The file's name of a text encoder's tensor. */
  private static String encoderName(String name) {
    String inside = name.substring(name.indexOf('.') + 1);
    return name.startsWith(FluxEncoders.T5) ? T5 + inside : CLIP + INNER + inside;
  }
}
