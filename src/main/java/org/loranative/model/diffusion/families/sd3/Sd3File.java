package org.loranative.model.diffusion.families.sd3;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.diffusion.FlowMatching;
import org.loranative.diffusion.TimestepSampling;
import org.loranative.graph.ops.Act;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.Vae;
import org.loranative.model.diffusion.VaeNames;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.t5.T5Config;
import org.loranative.model.weights.Weights;

/**
 * A Stable Diffusion 3 of one file in Stability AI's layout ({@code model.diffusion_model.…}) with
 * its text encoders in it under ComfyUI's names ({@code text_encoders.…}); its T5 may be left out.
 */
final class Sd3File {
  static final String TRANSFORMER = "model.diffusion_model.";
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
  private static final int T5_FARTHEST = 128;

  private final CheckpointFile file;

  private Sd3File(CheckpointFile file) {
    this.file = file;
  }

  static boolean isOne(TensorFile file) {
    return file.tensors().containsKey(BLOCKS + 0 + QKV);
  }

  static DiffusionBase open(Path path, TensorFile all, BaseOptions options) {
    Sd3Check.requireMeaning(options);
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
                + "…). Name a file that has them (their names often say incl_clips), or the model's"
                + " folder in diffusers' layout.");
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
                new T5Place(t5(), options.tokenizer().orElse(beside()).resolve("tokenizer_3")))
            : Optional.empty();
    Sd3 family =
        new Sd3(
            new Sd3Encoders(first, second, third, transformer.textWidth(), tokenizers),
            new MmditDenoiser(transformer),
            new FlowMatching(1000, SHIFT, TimestepSampling.LOGIT_NORMAL));
    Map<String, TensorEntry> tensors = apart(transformer.layers());
    return Sd3Check.checked(
        file.path(),
        family,
        file.vae(VAE_SHIFT, VAE_SCALING),
        new Weights(file.path().toString(), tensors, name -> translate(name, tensors)));
  }

  private Path beside() {
    return file.path().toAbsolutePath().getParent();
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

  private T5Config t5() {
    String attention = T5 + "encoder.block.0.layer.0.SelfAttention.";
    String buckets = attention + "relative_attention_bias.weight";
    int heads = file.side(buckets, 1);
    return new T5Config(
        file.side(T5 + "shared.weight", 1),
        file.count(T5 + "encoder.block."),
        heads,
        file.side(attention + "q.weight", 0) / heads,
        file.side(T5 + "shared.weight", 0),
        file.side(buckets, 0),
        T5_FARTHEST,
        1e-6f);
  }

  /** The file's tensors, but q, k and v each under this project's name. */
  private Map<String, TensorEntry> apart(int layers) {
    Map<String, TensorEntry> tensors = new HashMap<>(file.tensors());
    for (int i = 0; i < layers; i++) {
      String block = "transformer_blocks." + i + ".";
      for (String name :
          List.of(
              "attn.to_q",
              "attn.to_k",
              "attn.to_v",
              "attn.add_q_proj",
              "attn.add_k_proj",
              "attn.add_v_proj",
              "attn2.to_q",
              "attn2.to_k",
              "attn2.to_v")) {
        for (String kind : List.of(".weight", ".bias")) {
          OriginalNames.Place place = OriginalNames.of(block + name + kind).orElseThrow();
          TensorEntry joined = file.tensors().get(TRANSFORMER + place.name());
          if (joined != null) {
            int part = place.part().orElseThrow();
            tensors.put(Mmdit.PREFIX + block + name + kind, CheckpointFile.third(joined, part));
            tensors.remove(TRANSFORMER + place.name());
          }
        }
      }
    }
    return tensors;
  }

  /** The file's name of a tensor. */
  private static String translate(String name, Map<String, TensorEntry> tensors) {
    if (tensors.containsKey(name)) {
      return name; // entered under our name
    }
    String inside = name.substring(name.indexOf('.') + 1);
    if (name.startsWith(Mmdit.PREFIX)) {
      return OriginalNames.of(inside).map(p -> TRANSFORMER + p.name()).orElse(name);
    }
    if (name.startsWith(Vae.PREFIX)) {
      return VaeNames.of(inside, tensors.keySet());
    }
    if (name.startsWith(Sd3Encoders.THIRD)) {
      return T5 + inside;
    }
    String clip = name.startsWith(Sd3Encoders.FIRST) ? CLIP_L : CLIP_G;
    return inside.startsWith("text_projection") ? clip + inside : clip + INNER + inside;
  }
}
