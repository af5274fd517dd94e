package org.loranative.model.diffusion;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.graph.ops.Act;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.lora.SgmNames;
import org.loranative.model.Weights;

/**
 * A checkpoint of one file in the original layout ({@code model.diffusion_model.…}): Stable
 * Diffusion 1.x (CLIP), 2.x (OpenCLIP, predicts velocity) or XL (both). Its numbers are read off
 * the shapes; what shapes do not tell is what these models have in common.
 */
final class SingleFile {
  private static final String UNET = "model.diffusion_model.";
  private static final String CLIP = "cond_stage_model.transformer.text_model.";
  private static final String OPEN_CLIP = "cond_stage_model.model.";
  private static final String XL_CLIP = "conditioner.embedders.0.transformer.text_model.";
  private static final String XL_OPEN_CLIP = "conditioner.embedders.1.model.";
  private static final int GROUPS = 32;
  private static final int END = 49407;
  private static final int SIZES = 6;
  private static final int SD1_HEADS = 8;
  private static final int HEAD_WIDTH = 64;
  private static final double SD_SCALING = 0.18215;
  private static final double XL_SCALING = 0.13025;

  private final Path file;
  private final Map<String, TensorEntry> tensors;

  private SingleFile(Path file, Map<String, TensorEntry> tensors) {
    this.file = file;
    this.tensors = tensors;
  }

  static DiffusionBase open(Path file, Optional<Path> tokenizer) {
    String name = file.getFileName().toString();
    if (name.matches(".*\\.(ckpt|pt|pth|bin)")) {
      throw new UserException(
          file
              + " is a pickle, which can run any program when it is read, so it is refused. Turn it"
              + " into safetensors: in a Stable Diffusion interface (checkpoint merger, \"save as"
              + " safetensors\"), or with Python's torch: save_file(torch.load(FILE,"
              + " weights_only=True)[\"state_dict\"], \"model.safetensors\") of safetensors.torch.");
    }
    TensorFile all = Safetensors.read(file);
    SingleFile single = new SingleFile(file, all.tensors());
    if (!single.has(UNET + "input_blocks.0.0.weight")) {
      throw new UserException(
          file
              + " is no Stable Diffusion checkpoint in the original layout: it lacks "
              + UNET
              + "input_blocks.0.0.weight. A folder in diffusers' layout is named by its folder.");
    }
    return single.read(tokenizer);
  }

  private DiffusionBase read(Optional<Path> tokenizer) {
    boolean xl = has(UNET + "label_emb.0.0.weight");
    boolean openClip = has(OPEN_CLIP + "token_embedding.weight");
    Map<String, TensorEntry> texts = new LinkedHashMap<>(tensors);
    ClipConfig text;
    Optional<ClipConfig> second = Optional.empty();
    if (xl) {
      text = clip(XL_CLIP);
      second = Optional.of(openClip(XL_OPEN_CLIP, DiffusionBase.TEXT_2, texts, true));
    } else if (openClip) {
      text = openClip(OPEN_CLIP, DiffusionBase.TEXT, texts, false);
    } else {
      text = clip(CLIP);
    }
    String clip = xl ? XL_CLIP : CLIP;
    Weights weights = new Weights(file.toString(), texts, n -> translate(n, clip, texts));
    if (xl) {
      // x @ text_projection in the original, a linear layer here.
      weights.transposed(DiffusionBase.TEXT_2 + "text_projection.weight");
    }
    boolean velocity = xl ? has("v_pred") : openClip;
    NoiseSchedule noise =
        NoiseSchedule.of(
            NoiseSchedule.Betas.SCALED_LINEAR,
            1000,
            0.00085,
            0.012,
            has("ztsnr"),
            velocity,
            1,
            false);
    List<DiffusionBase.TokenizerPlace> tokenizers = tokenizers(tokenizer, xl, openClip);
    return new DiffusionBase(
        file, unet(xl, openClip), vae(xl), text, second, noise, weights, tokenizers);
  }

  /** OpenCLIP's towers pad with token 0; both kinds have the same vocabulary. */
  private List<DiffusionBase.TokenizerPlace> tokenizers(
      Optional<Path> named, boolean xl, boolean openClip) {
    Path beside = file.toAbsolutePath().getParent();
    Path folder = named.orElse(beside);
    Path first =
        Files.isDirectory(folder.resolve("tokenizer")) ? folder.resolve("tokenizer") : folder;
    Path second =
        Files.isDirectory(folder.resolve("tokenizer_2")) ? folder.resolve("tokenizer_2") : first;
    List<DiffusionBase.TokenizerPlace> places = new ArrayList<>();
    places.add(new DiffusionBase.TokenizerPlace(first, openClip));
    if (xl) {
      places.add(new DiffusionBase.TokenizerPlace(second, true));
    }
    return places;
  }

  private boolean has(String name) {
    return tensors.containsKey(name);
  }

  private boolean hasAny(String prefix) {
    return tensors.keySet().stream().anyMatch(k -> k.startsWith(prefix));
  }

  private int side(String name, int dimension) {
    TensorEntry entry = tensors.get(name);
    if (entry == null || entry.shape().size() <= dimension) {
      throw new UserException(file + " lacks the tensor " + name + "; it may be incomplete.");
    }
    return Math.toIntExact(entry.shape().get(dimension));
  }

  /** How many of prefix0, prefix1, … there are. */
  private int count(String prefix) {
    return (int) IntStream.iterate(0, i -> hasAny(prefix + i + "."), i -> i + 1).count();
  }

  private UnetConfig unet(boolean xl, boolean openClip) {
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
    int sizes = 0;
    if (xl) {
      int pooled = side(XL_OPEN_CLIP + "text_projection", 1);
      sizes = (side(UNET + "label_emb.0.0.weight", 1) - pooled) / SIZES;
    }
    return new UnetConfig(
        side(UNET + "input_blocks.0.0.weight", 1),
        side(UNET + "out.2.weight", 0),
        context,
        GROUPS,
        1e-5f,
        true,
        0,
        sizes,
        list);
  }

  private VaeConfig vae(boolean xl) {
    String encoder = VaeNames.ROOT + "encoder.down.";
    List<Integer> channels = new ArrayList<>();
    for (int i = 0; has(encoder + i + ".block.0.conv2.weight"); i++) {
      channels.add(side(encoder + i + ".block.0.conv2.weight", 0));
    }
    if (channels.isEmpty()) {
      throw new UserException(file + " holds no VAE (" + VaeNames.ROOT + "…).");
    }
    return new VaeConfig(
        side(VaeNames.ROOT + "post_quant_conv.weight", 0),
        GROUPS,
        count(encoder + "0.block."),
        channels,
        xl ? XL_SCALING : SD_SCALING);
  }

  private ClipConfig clip(String prefix) {
    String embeddings = prefix + "embeddings.";
    int hidden = side(embeddings + "token_embedding.weight", 1);
    return new ClipConfig(
        hidden,
        count(prefix + "encoder.layers."),
        Math.max(1, hidden / HEAD_WIDTH),
        side(embeddings + "position_embedding.weight", 0),
        side(embeddings + "token_embedding.weight", 0),
        1e-5f,
        Act.QUICK_GELU,
        END,
        false);
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
        for (int part = 0; part < 3 && joined != null; part++) {
          String name = to + "self_attn." + "qkv".charAt(part) + "_proj" + kind;
          texts.put(name, third(joined, part));
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
        END,
        pooled);
  }

  private void put(Map<String, TensorEntry> texts, String ours, String theirs) {
    if (has(theirs)) {
      texts.put(ours, tensors.get(theirs));
    }
  }

  /** Rows of q, k or v. */
  private static TensorEntry third(TensorEntry joined, int part) {
    List<Long> shape = new ArrayList<>(joined.shape());
    shape.set(0, shape.get(0) / 3);
    long bytes = joined.bytes() / 3;
    return new TensorEntry(
        joined.name(), joined.type(), shape, joined.file(), joined.offset() + part * bytes, bytes);
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
    return name.startsWith(DiffusionBase.TEXT)
        ? clip + name.substring(DiffusionBase.TEXT.length())
        : name;
  }
}
