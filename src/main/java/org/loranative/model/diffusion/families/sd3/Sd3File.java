package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
import org.loranative.model.diffusion.parts.NamedVae;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.diffusion.t5.T5Place;

/**
 * A Stable Diffusion 3 of one file in Stability AI's layout ({@code model.diffusion_model.…}) with
 * its text encoders in it under ComfyUI's names ({@code text_encoders.…}); its T5 may be left out.
 */
final class Sd3File {
  private static final String TRANSFORMER = OriginalTensors.ROOT;
  private static final String BLOCKS = TRANSFORMER + "joint_blocks.";
  private static final String QKV = ".x_block.attn.qkv.weight";
  private static final String CLIP_L = "text_encoders.clip_l.transformer.";
  private static final String CLIP_G = "text_encoders.clip_g.transformer.";
  private static final String T5 = "text_encoders.t5xxl.transformer.";
  private static final String INNER = "text_model.";

  /** Where shapes do not tell the width of heads: they do in 3.5, by the norm of queries. */
  private static final int HEAD_WIDTH = 64;

  /** Of every Stable Diffusion 3 so far. */
  private static final double SHIFT = 3;

  private static final int SAMPLE_SIZE = 128;
  private static final double VAE_SHIFT = 0.0609;
  private static final double VAE_SCALING = 1.5305;

  private final CheckpointFile file;

  private Sd3File(CheckpointFile file) {
    this.file = file;
  }

  static boolean isOne(TensorFile file) {
    return file.tensors().containsKey(BLOCKS + 0 + QKV);
  }

  static DiffusionBase open(Path path, TensorFile all, BaseOptions options) {
    Fitting.requireNoPrediction(options, Sd3Check.LABEL);
    Sd3File file = new Sd3File(new CheckpointFile(path, all.tensors()));
    file.requireTexts();
    return file.read(options);
  }

  private void requireTexts() {
    for (String clip : List.of(CLIP_L, CLIP_G)) {
      if (!file.hasAny(clip)) {
        throw new UserException(
            file.path()
                + " holds no text encoders ("
                + clip
                + "…). Name them with text_encoder_path (--text-encoder-path), such as"
                + " clip_l.safetensors, clip_g.safetensors and t5xxl_fp16.safetensors.");
      }
    }
  }

  private DiffusionBase read(BaseOptions options) {
    MmditConfig transformer = transformer();
    ClipConfig first = ClipConfig.of(file, CLIP_L + INNER, Act.QUICK_GELU, true);
    ClipConfig second = ClipConfig.of(file, CLIP_G + INNER, Act.GELU, true);
    List<TokenizerPlace> tokenizers = new ArrayList<>();
    tokenizers.add(TokenizerPlace.beside(file.path(), options.tokenizer(), "tokenizer", first));
    tokenizers.add(TokenizerPlace.beside(file.path(), options.tokenizer(), "tokenizer_2", second));
    Optional<T5Place> third =
        file.hasAny(T5)
            ? Optional.of(
                new T5Place(
                    T5Config.of(file, T5),
                    T5Place.beside(file.path(), options),
                    Sd3Encoders.THIRD,
                    Sd3Encoders.T5_TOKENS,
                    false))
            : Optional.empty();
    Sd3 family =
        new Sd3(
            new Sd3Encoders(first, second, third, transformer.textWidth(), tokenizers),
            new MmditDenoiser(transformer),
            new FlowMatching(
                1000,
                new FlowShift.Constant(SHIFT),
                FlowSpacing.TRAINED,
                TimestepSampling.LOGIT_NORMAL));
    return Sd3Check.checked(
        file.path(),
        family,
        NamedVae.config(options).orElseGet(() -> file.vae(VAE_SHIFT, VAE_SCALING)),
        OriginalTensors.weights(file, transformer.names(), Sd3File::encoderName));
  }

  private MmditConfig transformer() {
    String embedder = TRANSFORMER + "x_embedder.proj.weight";
    int width = file.side(embedder, 0);
    int patch = file.side(embedder, 2);
    int layers = file.count(BLOCKS);
    String norm = BLOCKS + "0.x_block.attn.ln_q.weight";
    int headDim = file.has(norm) ? file.side(norm, 0) : HEAD_WIDTH;
    List<Integer> dual = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      if (file.has(BLOCKS + i + ".x_block.attn2.qkv.weight")) {
        dual.add(i);
      }
    }
    return new MmditConfig(
        SAMPLE_SIZE,
        patch,
        file.side(embedder, 1),
        file.side(TRANSFORMER + "final_layer.linear.weight", 0) / (patch * patch),
        layers,
        width / headDim,
        headDim,
        file.side(TRANSFORMER + "context_embedder.weight", 1),
        file.side(TRANSFORMER + "y_embedder.mlp.0.weight", 1),
        (int) Math.round(Math.sqrt(file.side(TRANSFORMER + "pos_embed", 1))),
        dual,
        file.has(norm),
        true);
  }

  /** The file's name of a text encoder's tensor. */
  private static String encoderName(String name) {
    String inside = name.substring(name.indexOf('.') + 1);
    if (name.startsWith(Sd3Encoders.THIRD)) {
      return T5 + inside;
    }
    String clip = name.startsWith(Sd3Encoders.FIRST) ? CLIP_L : CLIP_G;
    return inside.startsWith("text_projection") ? clip + inside : clip + INNER + inside;
  }
}
