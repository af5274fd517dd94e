package org.loranative.model.diffusion.families.chroma;

import java.nio.file.Path;
import org.loranative.UserException;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowShift;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.RotaryFile;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Place;

/** A Chroma in its authors' layout, with T5 and VAE in it or named beside it. */
final class ChromaFile {
  private static final String APPROXIMATOR = OriginalTensors.ROOT + "distilled_guidance_layer.";
  private static final String IN = APPROXIMATOR + "in_proj.weight";
  private static final String T5 = "text_encoders.t5xxl.transformer.";

  private ChromaFile() {}

  static boolean isOne(TensorFile file) {
    return RotaryFile.isOne(file) && file.tensors().containsKey(IN);
  }

  static DiffusionBase open(Path path, TensorFile all, BaseOptions options) {
    Fitting.requireNoPrediction(options, Chroma.LABEL);
    CheckpointFile file = new CheckpointFile(path, all.tensors());
    if (!file.hasAny(T5)) {
      throw new UserException(
          path
              + " holds no T5 ("
              + T5
              + "…). Name it with text_encoder_path (--text-encoder-path), such as"
              + " t5xxl_fp16.safetensors.");
    }
    ChromaConfig config =
        new ChromaConfig(
            RotaryFile.transformer(file), file.count(APPROXIMATOR + "layers."), file.side(IN, 1));
    ChromaEncoders text =
        new ChromaEncoders(
            new T5Place(
                T5Config.of(file, T5),
                T5Place.beside(path, options),
                ChromaEncoders.T5,
                ChromaEncoders.T5_TOKENS,
                true));
    FlowMatching flow =
        new FlowMatching(
            1000, new FlowShift.Constant(1), FlowSpacing.EVEN, TimestepSampling.SIGMOID);
    return Chroma.checked(
        path,
        new Chroma(text, new ChromaDenoiser(config), flow),
        RotaryFile.vae(file, options),
        OriginalTensors.weights(
            file,
            new ChromaOriginalNames(config.transformer()),
            name -> T5 + name.substring(ChromaEncoders.T5.length())));
  }
}
