package org.loranative.model.diffusion;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.model.MissingBase;
import org.loranative.model.Quantize;
import org.loranative.model.Weights;
import org.loranative.text.ClipTokenizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A diffusion model on disk, as a folder of diffusers or one file: the configs of its parts and
 * their tensors (not yet loaded), under diffusers' names behind the part's own: {@code unet.},
 * {@code vae.}, {@code text_encoder.}, {@code text_encoder_2.}.
 */
public final class DiffusionBase {
  static final String TEXT = "text_encoder.";
  static final String TEXT_2 = "text_encoder_2.";
  private static final int NARROW = 640;

  private final Path path;
  private final UnetConfig unet;
  private final VaeConfig vae;
  private final ClipConfig text;
  private final Optional<ClipConfig> text2;
  private final NoiseSchedule noise;
  private final Weights weights;

  private final List<TokenizerPlace> tokenizers;

  /** What a user may say of a base beside its place. */
  public record Options(Optional<Path> tokenizer, Optional<Prediction> prediction) {
    private static final Logger log = LoggerFactory.getLogger(DiffusionBase.class);

    public static Options none() {
      return new Options(Optional.empty(), Optional.empty());
    }

    /** The schedule with the prediction that the user named; says which it is and by whom. */
    NoiseSchedule apply(NoiseSchedule told, String by) {
      Prediction chosen = prediction.orElse(told.prediction());
      log.info(
          "base: predicts {} ({}){}",
          chosen.label(),
          prediction.isPresent() ? "prediction_type" : by,
          chosen == told.prediction() ? "" : ", against " + by);
      return told.predicting(chosen);
    }
  }

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
    BaseCheck.check(this);
  }

  /** Opens a model with the tokenizer that lies with it. */
  public static DiffusionBase open(Path path) {
    return open(path, Options.none());
  }

  /** Opens a folder in diffusers' layout, or a checkpoint of one file. */
  public static DiffusionBase open(Path path, Options options) {
    if (!Files.exists(path)) {
      throw MissingBase.of(
          "base_model", path, "a folder in diffusers' layout or a .safetensors file");
    }
    return Files.isDirectory(path)
        ? DiffusersFolder.open(path, options)
        : SingleFile.open(path, options);
  }

  /** Says how the matrices of the UNet's linear layers are held. */
  public void quantize(Quantize how) {
    weights.quantize(how, name -> name.startsWith(Unet.PREFIX));
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

  /** Whether a tensor, by the file's name, is the UNet's. */
  boolean isOfUnet(String name) {
    return name.startsWith(Unet.PREFIX) || name.startsWith(SingleFile.UNET);
  }

  /** Whether it is a Stable Diffusion 2, whose text encoder is OpenCLIP's ViT-H. */
  public boolean isVersion2() {
    return !isSdxl() && unet.contextWidth() == 1024;
  }

  /** What kohya's files call a base of this kind. */
  public String kohyaVersion() {
    boolean velocity = noise.prediction() == Prediction.V_PREDICTION;
    return isSdxl()
        ? "sdxl_base_v1-0"
        : (isVersion2() ? "sd_v2" : "sd_v1") + (velocity ? "_v" : "");
  }

  public boolean isSdxl() {
    return text2.isPresent();
  }

  /** Whether its UNet is far narrower than that of any Stable Diffusion. */
  public boolean isSmall() {
    return unet.innermost().channels() < NARROW;
  }

  /** How noise is added, and what the UNet predicts. */
  public NoiseSchedule noise() {
    return noise;
  }

  /** The tokenizers of its text encoders; the caller closes them. */
  public List<ClipTokenizer> tokenizers() {
    List<ClipTokenizer> opened = new ArrayList<>();
    tokenizers.forEach(place -> opened.add(place.open()));
    return opened;
  }

  /** Height and width of the images that it was made for. */
  public List<Integer> imageSize() {
    return unet.sampleSize().stream().map(side -> side * vae.factor()).toList();
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
