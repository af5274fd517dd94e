package org.loranative.model.diffusion;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.model.Quantize;
import org.loranative.model.Weights;
import org.loranative.text.ClipTokenizer;

/**
 * A diffusion model on disk, as a folder of diffusers or one file: the configs of its parts and
 * their tensors (not yet loaded), under diffusers' names behind the part's own: {@code unet.},
 * {@code vae.}, {@code text_encoder.}, {@code text_encoder_2.}.
 */
public final class DiffusionBase {
  static final String TEXT = "text_encoder.";
  static final String TEXT_2 = "text_encoder_2.";

  /** Names that older versions of diffusers gave the VAE's attention. */
  private static final Map<String, String> OLD_ATTENTION =
      Map.of(
          ".query.", ".to_q.", ".key.", ".to_k.", ".value.", ".to_v.", ".proj_attn.", ".to_out.0.");

  private final Path path;
  private final UnetConfig unet;
  private final VaeConfig vae;
  private final ClipConfig text;
  private final Optional<ClipConfig> text2;
  private final NoiseSchedule noise;
  private final Weights weights;

  private final List<TokenizerPlace> tokenizers;

  /**
   * Where a tokenizer is.
   *
   * @param padsWithZero whether texts are filled up with token 0, whatever the folder says
   */
  record TokenizerPlace(Path folder, boolean padsWithZero) {}

  DiffusionBase(
      Path path,
      UnetConfig unet,
      VaeConfig vae,
      ClipConfig text,
      Optional<ClipConfig> text2,
      NoiseSchedule noise,
      Weights weights,
      List<TokenizerPlace> tokenizers) {
    this.path = path;
    this.unet = unet;
    this.vae = vae;
    this.text = text;
    this.text2 = text2;
    this.noise = noise;
    this.weights = weights;
    this.tokenizers = List.copyOf(tokenizers);
  }

  /** Opens a model with the tokenizer that lies with it. */
  public static DiffusionBase open(Path path) {
    return open(path, Optional.empty());
  }

  /**
   * Opens a folder in diffusers' layout, or a checkpoint of one file.
   *
   * @param tokenizer a tokenizer's folder, or one with tokenizer and tokenizer_2 in it
   */
  public static DiffusionBase open(Path path, Optional<Path> tokenizer) {
    if (!Files.exists(path)) {
      throw new UserException(
          "base_model "
              + path
              + " does not exist; name a folder in diffusers' layout or a .safetensors file.");
    }
    return Files.isDirectory(path) ? folder(path, tokenizer) : SingleFile.open(path, tokenizer);
  }

  /** Says how the matrices of the UNet's linear layers are held. */
  public void quantize(Quantize how) {
    weights.quantize(how, name -> name.startsWith(Unet.PREFIX));
  }

  private static DiffusionBase folder(Path folder, Optional<Path> tokenizer) {
    if (!Files.exists(folder.resolve("model_index.json"))) {
      throw new UserException(
          "base_model " + folder + " has no model_index.json; name a folder in diffusers' layout.");
    }
    Map<String, TensorEntry> entries = new LinkedHashMap<>();
    add(entries, Unet.PREFIX, folder.resolve("unet"), "diffusion_pytorch_model");
    add(entries, Vae.PREFIX, folder.resolve("vae"), "diffusion_pytorch_model");
    add(entries, TEXT, folder.resolve("text_encoder"), "model");
    List<TokenizerPlace> places = new ArrayList<>();
    places.add(new TokenizerPlace(place(folder, tokenizer, "tokenizer"), false));
    Optional<ClipConfig> second = Optional.empty();
    if (Files.exists(folder.resolve("text_encoder_2"))) {
      add(entries, TEXT_2, folder.resolve("text_encoder_2"), "model");
      second = Optional.of(ClipConfig.read(folder.resolve("text_encoder_2/config.json")));
      places.add(
          new TokenizerPlace(place(folder, tokenizer, "tokenizer_2"), tokenizer.isPresent()));
    }
    return new DiffusionBase(
        folder,
        UnetConfig.read(folder.resolve("unet/config.json")),
        VaeConfig.read(folder.resolve("vae/config.json")),
        ClipConfig.read(folder.resolve("text_encoder/config.json")),
        second,
        noise(Json.read(folder.resolve("scheduler/scheduler_config.json"))),
        new Weights(folder.toString(), entries, n -> n),
        places);
  }

  private static Path place(Path folder, Optional<Path> named, String name) {
    return named
        .map(n -> Files.isDirectory(n.resolve(name)) ? n.resolve(name) : n)
        .orElse(folder.resolve(name));
  }

  private static NoiseSchedule noise(Json json) {
    json.require("beta_schedule", "scaled_linear", "linear");
    json.require("prediction_type", "epsilon", "v_prediction");
    return NoiseSchedule.of(
        json.text("beta_schedule", "scaled_linear").equals("linear")
            ? NoiseSchedule.Betas.LINEAR
            : NoiseSchedule.Betas.SCALED_LINEAR,
        json.integer("num_train_timesteps", 1000),
        json.number("beta_start", 0.00085),
        json.number("beta_end", 0.012),
        json.flag("rescale_betas_zero_snr", false),
        json.text("prediction_type", "epsilon").equals("v_prediction"),
        json.integer("steps_offset", 0),
        json.flag("set_alpha_to_one", true));
  }

  private static void add(
      Map<String, TensorEntry> entries, String prefix, Path folder, String stem) {
    Safetensors.readFolder(folder, stem)
        .tensors()
        .forEach((name, entry) -> entries.put(prefix + canonical(prefix, name), entry));
  }

  private static String canonical(String prefix, String name) {
    String canonical = name.startsWith("text_model.") ? name.substring(11) : name;
    if (prefix.equals(Vae.PREFIX)) {
      for (Map.Entry<String, String> old : new HashMap<>(OLD_ATTENTION).entrySet()) {
        canonical = canonical.replace(old.getKey(), old.getValue());
      }
    }
    return canonical;
  }

  public Path path() {
    return path;
  }

  public Weights weights() {
    return weights;
  }

  UnetConfig unet() {
    return unet;
  }

  VaeConfig vae() {
    return vae;
  }

  ClipConfig text() {
    return text;
  }

  /** The second text encoder, which makes it an SDXL. */
  Optional<ClipConfig> text2() {
    return text2;
  }

  /**
   * Whether the layer is a convolution of one pixel, which files of adapters show by 4 dimensions.
   */
  public boolean isConvolution(String path) {
    return weights.entry(path + ".weight").shape().size() == 4;
  }

  /** What kohya's files call a base of this kind. */
  public String kohyaVersion() {
    return isSdxl() ? "sdxl_base_v1-0" : unet.contextWidth() == 1024 ? "sd_v2" : "sd_v1";
  }

  public boolean isSdxl() {
    return text2.isPresent();
  }

  /** How noise is added, and what the UNet predicts. */
  public NoiseSchedule noise() {
    return noise;
  }

  /** The tokenizers of its text encoders; the caller closes them. */
  public List<ClipTokenizer> tokenizers() {
    List<ClipTokenizer> opened = new ArrayList<>();
    for (TokenizerPlace place : tokenizers) {
      if (!ClipTokenizer.isIn(place.folder())) {
        throw new UserException(
            "The tokenizer of "
                + path
                + " is missing: "
                + place.folder()
                + " has neither vocab.json and merges.txt nor tokenizer.json. A checkpoint of one"
                + " file has none in it; name CLIP's with tokenizer_path (sample: --tokenizer), or"
                + " put it into a folder \"tokenizer\" beside the file.");
      }
      opened.add(ClipTokenizer.fromFolder(place.folder(), place.padsWithZero()));
    }
    return opened;
  }

  /** Tokens of a text. */
  public int textTokens() {
    return text.positions();
  }

  /** How many times smaller latents are than images, in each direction. */
  public int latentFactor() {
    return vae.factor();
  }

  public int latentChannels() {
    return vae.latentChannels();
  }

  /** What latents are multiplied by before the UNet sees them. */
  public double latentScaling() {
    return vae.scaling();
  }
}
