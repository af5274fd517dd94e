package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.FlowSpacing;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Fitting;
import org.loranative.model.diffusion.dit.OriginalTensors;
import org.loranative.model.diffusion.dit.RotaryFile;
import org.loranative.model.diffusion.dit.TokenDenoiser;
import org.loranative.model.diffusion.parts.NamedEncoders;
import org.loranative.model.llm.LlmBase;

/**
 * A Z-Image in its authors' layout, its language model and VAE named beside it. No file tells Turbo
 * from the model that it was distilled from; it is taken for Turbo.
 */
final class ZImageFile {
  private static final String ROOT = OriginalTensors.ROOT;
  private static final String CAPTIONS = ROOT + "cap_embedder.1.weight";

  private ZImageFile() {}

  static boolean isOne(TensorFile file) {
    return file.tensors().containsKey(CAPTIONS)
        && file.tensors().containsKey(ROOT + "noise_refiner.0.attention.qkv.weight");
  }

  static DiffusionBase open(Path path, TensorFile all, BaseOptions options) {
    Fitting.requireNoPrediction(options, ZImage.LABEL);
    CheckpointFile file = new CheckpointFile(path, all.tensors());
    Path folder =
        options.textEncoders().stream()
            .flatMap(named -> Stream.of(named, named.resolve("text_encoder")))
            .filter(encoder -> Files.exists(encoder.resolve("config.json")))
            .findFirst()
            .orElseThrow(
                () ->
                    new UserException(
                        path
                            + " needs its text encoder, a Qwen3-4B: name the folder that has it"
                            + " with config.json (Hugging Face's Qwen/Qwen3-4B, or text_encoder of"
                            + " the model's own folder) with text_encoder_path"
                            + " (--text-encoder-path)."));
    LlmBase model = LlmBase.open(folder);
    ZImageConfig config = config(file);
    FlowMatching flow =
        new FlowMatching(1000, ZImage.TURBO, FlowSpacing.EVEN, TimestepSampling.LOGIT_NORMAL);
    ZImage family =
        new ZImage(
            new ZImageEncoders(model, tokenizer(folder, options)),
            new ZImageDenoiser(config),
            flow);
    return ZImage.checked(
        path,
        family,
        RotaryFile.vae(file, options),
        OriginalTensors.weights(
            file, new ZImageOriginalNames(config), name -> NamedEncoders.LANGUAGE + name));
  }

  /** The one that the user names, else what lies with the text encoder or beside it. */
  private static Path tokenizer(Path encoder, BaseOptions options) {
    Path beside = encoder.toAbsolutePath().resolveSibling("tokenizer");
    return Stream.concat(
            options.tokenizer().stream().flatMap(t -> Stream.of(t.resolve("tokenizer"), t)),
            Stream.of(encoder, beside))
        .filter(folder -> Files.exists(folder.resolve("tokenizer.json")))
        .findFirst()
        .orElse(encoder);
  }

  private static ZImageConfig config(CheckpointFile file) {
    int width = file.side(ROOT + "x_embedder.weight", 0);
    int headDim = file.side(ROOT + "layers.0.attention.q_norm.weight", 0);
    int first = headDim / 16 * 4; // 32, 48 and 48 of the real one's 128
    int rest = (headDim - first) / 2;
    return new ZImageConfig(
        width,
        width / headDim,
        file.count(ROOT + "layers."),
        file.count(ROOT + "noise_refiner."),
        file.side(ROOT + "x_embedder.weight", 1) / (TokenDenoiser.PATCH * TokenDenoiser.PATCH),
        file.side(CAPTIONS, 1),
        List.of(first, rest, rest),
        256,
        1e-5f);
  }
}
