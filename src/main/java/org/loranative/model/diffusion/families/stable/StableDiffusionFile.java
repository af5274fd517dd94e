package org.loranative.model.diffusion.families.stable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.diffusion.Spacing;
import org.loranative.graph.ops.Act;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Vae;
import org.loranative.model.diffusion.VaeConfig;
import org.loranative.model.diffusion.VaeNames;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.parts.NamedVae;
import org.loranative.model.weights.Weights;

/**
 * A checkpoint of one file in the original layout ({@code model.diffusion_model.…}): Stable
 * Diffusion 1.x (CLIP), 2.x (OpenCLIP) or XL (both). Its numbers are read off the shapes; what
 * shapes do not tell is what these models have in common.
 */
final class StableDiffusionFile {
  private static final String UNET = SgmNames.UNET;

  /** A tensor that only these have. */
  static final String TELLTALE = UNET + "input_blocks.0.0.weight";

  private static final String CLIP = "cond_stage_model.transformer.";
  private static final String OPEN_CLIP = "cond_stage_model.model.";
  private static final String XL_CLIP = "conditioner.embedders.0.transformer.";
  private static final String XL_OPEN_CLIP = "conditioner.embedders.1.model.";
  private static final String XL_REFINER = "conditioner.embedders.0.model.";
  private static final int GROUPS = 32;
  private static final int SD1_HEADS = 8;
  private static final int HEAD_WIDTH = 64;
  private static final double SD_SCALING = 0.18215;
  private static final double XL_SCALING = 0.13025;

  /** Latents' sides that XL, 2.x predicting velocity, and the others were made for. */
  private static final int XL_SIZE = 128;

  private static final int LARGER_SIZE = 96;
  private static final int SIZE = 64;

  private final Path file;
  private final TensorFile all;
  private final Map<String, TensorEntry> tensors;
  private final CheckpointFile checkpoint;

  private StableDiffusionFile(Path file, TensorFile all) {
    this.file = file;
    this.all = all;
    this.tensors = all.tensors();
    this.checkpoint = new CheckpointFile(file, tensors);
  }

  static DiffusionBase open(Path path, TensorFile all, BaseOptions options) {
    StableDiffusionFile file = new StableDiffusionFile(path, all);
    file.requireKind();
    return file.read(options);
  }

  private void requireKind() {
    if (has("edm_mean") || has("edm_vpred.sigma_max")) {
      throw new UserException(
          file + " was trained with EDM's noise (its entry edm_…), which is not supported.");
    }
    if (has(XL_REFINER + "token_embedding.weight")) {
      throw new UserException(
          file + " is SDXL's refiner, which is not supported; name the base model.");
    }
  }

  private DiffusionBase read(BaseOptions options) {
    boolean xl = has(UNET + "label_emb.0.0.weight");
    boolean openClip = has(OPEN_CLIP + "token_embedding.weight");
    Map<String, TensorEntry> texts = new LinkedHashMap<>(tensors);
    ClipConfig text;
    Optional<ClipConfig> second = Optional.empty();
    if (xl) {
      text = clip(clipPrefix(XL_CLIP));
      second = Optional.of(openClip(XL_OPEN_CLIP, ClipEncoders.SECOND, texts, true));
    } else if (openClip) {
      text = openClip(OPEN_CLIP, ClipEncoders.FIRST, texts, false);
    } else {
      text = clip(clipPrefix(CLIP));
    }
    String clip = clipPrefix(xl ? XL_CLIP : CLIP);
    Weights weights = new Weights(file.toString(), texts, n -> translate(n, clip, texts));
    if (xl) {
      // x @ text_projection in the original, a linear layer here.
      weights.transposed(ClipEncoders.SECOND + "text_projection.weight");
    }
    PredictionMarks marks =
        options
            .prediction()
            .map(chosen -> new PredictionMarks(chosen, "prediction_type"))
            .orElseGet(() -> PredictionMarks.read(file, all, openClip));
    NoiseSchedule noise =
        StableDiffusion.chosen(
            options,
            NoiseSchedule.of(
                NoiseSchedule.Betas.SCALED_LINEAR,
                1000,
                0.00085,
                0.012,
                has("ztsnr"),
                marks.prediction(),
                xl ? Optional.of(Spacing.LEADING) : Optional.empty(),
                1,
                false),
            marks.by());
    boolean larger = openClip && noise.prediction() == Prediction.V_PREDICTION;
    List<TokenizerPlace> tokenizers = new ArrayList<>();
    tokenizers.add(TokenizerPlace.beside(file, options.tokenizer(), "tokenizer", text));
    second.ifPresent(
        s -> tokenizers.add(TokenizerPlace.beside(file, options.tokenizer(), "tokenizer_2", s)));
    StableDiffusion family =
        new StableDiffusion(
            new ClipEncoders(text, second, tokenizers),
            new UnetDenoiser(unet(xl, openClip, xl ? XL_SIZE : larger ? LARGER_SIZE : SIZE)),
            noise);
    VaeConfig vae = NamedVae.config(options).orElseGet(() -> vae(xl));
    return BaseCheck.checked(file, family, vae, weights);
  }

  /** The NAI family and merges with it leave {@code text_model.} away. */
  private String clipPrefix(String encoder) {
    boolean bare = has(encoder + "embeddings.token_embedding.weight");
    return bare ? encoder : encoder + "text_model.";
  }

  private UnetConfig unet(boolean xl, boolean openClip, int size) {
    int levels = 1;
    while (has(UNET + "input_blocks." + 3 * levels + ".0.op.weight")) {
      levels++;
    }
    List<UnetConfig.Level> list = new ArrayList<>();
    for (int i = 0; i < levels; i++) {
      String in = UNET + "input_blocks." + (3 * i + 1);
      int channels = side(in + ".0.out_layers.3.weight", 0);
      boolean down = hasAny(in + ".1.transformer_blocks.");
      String out = UNET + "output_blocks." + 3 * (levels - 1 - i) + ".1.transformer_blocks.";
      int blocks = down ? count(in + ".1.transformer_blocks.") : Math.max(1, count(out));
      // The innermost level lends its blocks to the middle.
      if (i == levels - 1 && !down) {
        blocks = Math.max(blocks, count(UNET + "middle_block.1.transformer_blocks."));
      }
      int heads = xl || openClip ? Math.max(1, channels / HEAD_WIDTH) : SD1_HEADS;
      list.add(new UnetConfig.Level(channels, 2, heads, blocks, down, hasAny(out)));
    }
    int context = side(UNET + "middle_block.1.transformer_blocks.0.attn2.to_k.weight", 1);
    int added = xl ? side(UNET + "label_emb.0.0.weight", 1) : 0;
    int pooled = xl ? side(XL_OPEN_CLIP + "text_projection", 1) : 0;
    return new UnetConfig(
        side(UNET + "input_blocks.0.0.weight", 1),
        side(UNET + "out.2.weight", 0),
        context,
        GROUPS,
        1e-5f,
        true,
        0,
        (added - pooled) / Unet.SIZES,
        added,
        List.of(size, size),
        list);
  }

  private VaeConfig vae(boolean xl) {
    return checkpoint.vae(0, xl ? XL_SCALING : SD_SCALING);
  }

  private ClipConfig clip(String prefix) {
    return ClipConfig.of(checkpoint, prefix, Act.QUICK_GELU, false);
  }

  private boolean has(String name) {
    return checkpoint.has(name);
  }

  private boolean hasAny(String prefix) {
    return checkpoint.hasAny(prefix);
  }

  private int side(String name, int dimension) {
    return checkpoint.side(name, dimension);
  }

  private int count(String prefix) {
    return checkpoint.count(prefix);
  }

  /**
   * OpenCLIP's text tower; its tensors are entered under this project's names, since its q, k and v
   * are one tensor.
   *
   * @param pooled SDXL's; the other (2.x) leaves out the last layer
   */
  private ClipConfig openClip(
      String prefix, String ours, Map<String, TensorEntry> texts, boolean pooled) {
    int layers = count(prefix + "transformer.resblocks.");
    int hidden = side(prefix + "token_embedding.weight", 1);
    put(texts, ours + "embeddings.token_embedding.weight", prefix + "token_embedding.weight");
    put(texts, ours + "embeddings.position_embedding.weight", prefix + "positional_embedding");
    for (String kind : List.of(".weight", ".bias")) {
      put(texts, ours + "final_layer_norm" + kind, prefix + "ln_final" + kind);
      for (int i = 0; i < layers; i++) {
        String from = prefix + "transformer.resblocks." + i + ".";
        String to = ours + "encoder.layers." + i + ".";
        put(texts, to + "layer_norm1" + kind, from + "ln_1" + kind);
        put(texts, to + "layer_norm2" + kind, from + "ln_2" + kind);
        put(texts, to + "mlp.fc1" + kind, from + "mlp.c_fc" + kind);
        put(texts, to + "mlp.fc2" + kind, from + "mlp.c_proj" + kind);
        put(texts, to + "self_attn.out_proj" + kind, from + "attn.out_proj" + kind);
        TensorEntry joined = tensors.get(from + "attn.in_proj" + kind.replace('.', '_'));
        long each = joined == null ? 0 : joined.shape().get(0) / 3;
        for (int part = 0; part < 3 && joined != null; part++) {
          String name = to + "self_attn." + "qkv".charAt(part) + "_proj" + kind;
          texts.put(name, CheckpointFile.rows(joined, part * each, each));
        }
      }
    }
    if (pooled) {
      put(texts, ours + "text_projection.weight", prefix + "text_projection");
    }
    return new ClipConfig(
        hidden,
        pooled ? layers : layers - 1,
        Math.max(1, hidden / HEAD_WIDTH),
        side(prefix + "positional_embedding", 0),
        side(prefix + "token_embedding.weight", 0),
        1e-5f,
        Act.GELU,
        hidden,
        pooled);
  }

  private void put(Map<String, TensorEntry> texts, String ours, String theirs) {
    if (has(theirs)) {
      texts.put(ours, tensors.get(theirs));
    }
  }

  /** The file's name of a tensor. */
  private static String translate(String name, String clip, Map<String, TensorEntry> entries) {
    if (entries.containsKey(name)) {
      return name; // entered under our name
    }
    if (name.startsWith(Unet.PREFIX)) {
      List<String> names =
          SgmNames.of(name.substring(Unet.PREFIX.length())).stream().map(n -> UNET + n).toList();
      return names.stream().filter(entries::containsKey).findFirst().orElse(names.get(0));
    }
    if (name.startsWith(Vae.PREFIX)) {
      return VaeNames.of(name.substring(Vae.PREFIX.length()), entries.keySet());
    }
    return name.startsWith(ClipEncoders.FIRST)
        ? clip + name.substring(ClipEncoders.FIRST.length())
        : name;
  }
}
