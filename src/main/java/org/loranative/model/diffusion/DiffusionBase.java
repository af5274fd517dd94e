package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.loranative.UserException;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.diffusion.Sampler;
import org.loranative.graph.ShapeException;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.lora.NamedLayers;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;

/**
 * A diffusion model on disk: what its family decides, its VAE and its tensors (not yet loaded),
 * under diffusers' names behind each part's own ({@code unet.}, {@code vae.}, {@code
 * text_encoder.}).
 */
public final class DiffusionBase {
  private final Path path;
  private final DiffusionFamily family;
  private final VaeConfig vae;
  private final Weights weights;
  private NoiseProcess noise;

  public DiffusionBase(Path path, DiffusionFamily family, VaeConfig vae, Weights weights) {
    this.path = path;
    this.family = family;
    this.vae = vae;
    this.weights = weights;
    noise = family.noise();
  }

  /**
   * Checks that the graphs can be made of the tensors that are there, and read every one of some.
   *
   * @param denoisers whether a tensor, by the file's name, must be read
   * @param others what a model is that has tensors which are not read
   */
  public DiffusionBase requireWhole(Predicate<String> denoisers, String others) {
    List<String> left;
    try {
      left =
          weights.unread(Weights.of(Painter.graphs(this, Adapters.none(), DType.F32)), denoisers);
    } catch (ShapeException e) {
      throw new UserException(
          "base_model "
              + path
              + ": its tensors do not have the shapes that its configs tell ("
              + e.getMessage()
              + ").",
          e);
    }
    if (!left.isEmpty()) {
      throw new UserException(
          String.format(
              "base_model %s has %d %s in its %s that %s have not, such as %s; it is another"
                  + " kind of model, which is not supported.",
              path,
              left.size(),
              left.size() == 1 ? "tensor" : "tensors",
              family.denoiser().part(),
              others,
              left.get(0)));
    }
    return this;
  }

  /** Says how the matrices of the denoiser's and of large text encoders' linear layers are held. */
  public void quantize(Quantize how) {
    weights.quantize(how, name -> isDenoisers(name) || family.text().isLarge(name));
  }

  /** Rescales its noise to end in pure noise, see {@link NoiseProcess#zeroTerminal}. */
  public void zeroTerminal(String by) {
    noise = noise.zeroTerminal(by);
  }

  /**
   * Checks that text encoders have so many last layers to leave out.
   *
   * @param by what named the number, for the sentence
   */
  public void requireClipSkip(int clipSkip, String by) {
    int most = family.text().mostSkipped();
    if (clipSkip > most) {
      throw new UserException(
          String.format(
              "%s is %d, but must be %s for this base.",
              by, clipSkip, most > 0 ? "between 0 and " + most : "0"));
    }
  }

  /** Whether a layer or tensor is the denoiser's, by its path here. */
  boolean isDenoisers(String path) {
    return path.startsWith(family.denoiser().part() + ".");
  }

  public Path path() {
    return path;
  }

  public DiffusionFamily family() {
    return family;
  }

  public Weights weights() {
    return weights;
  }

  public NoiseProcess noise() {
    return noise;
  }

  VaeConfig vae() {
    return vae;
  }

  /** Its layers, and what adapters' files call them. */
  public NamedLayers layers() {
    return new NamedLayers(DiffusionGraph.targets(this), family.names());
  }

  /**
   * One of its samplers.
   *
   * @param by what named it, for the sentence
   */
  public Sampler sampler(String label, String by) {
    return noise()
        .sampler(label)
        .orElseThrow(
            () ->
                new UserException(
                    String.format(
                        "%s is %s, but must be one of %s.",
                        by, label, String.join(", ", noise().samplers()))));
  }

  /**
   * Whether the layer is a convolution of one pixel, which files of adapters show by 4 dimensions.
   */
  public boolean isConvolution(String path) {
    return weights.entry(path + ".weight").shape().size() == 4;
  }

  /**
   * Refuses what has no meaning for how the base follows a text.
   *
   * @param negative what to lead away from; may be empty
   * @param guided whether the user says how far to follow
   */
  public void requireGuidance(String negative, boolean guided) {
    Guidance how = family.guidance();
    if (how != Guidance.LED && !negative.isEmpty()) {
      throw new UserException(
          "--negative has no meaning for "
              + path
              + ", which was distilled and reads one text alone. Leave it out.");
    }
    if (how == Guidance.NONE && guided) {
      throw new UserException(
          "--guidance has no meaning for "
              + path
              + ", which was distilled and takes no guidance. Leave it out.");
    }
  }

  /** Height and width of the images that it was made for. */
  public List<Integer> imageSize() {
    return family.denoiser().sampleSize().stream().map(side -> side * vae.factor()).toList();
  }

  /** How many times smaller latents are than images, in each direction. */
  public int latentFactor() {
    return vae.factor();
  }

  public int latentChannels() {
    return vae.latentChannels();
  }

  /** What images' heights and widths must be multiples of. */
  public int imageStep() {
    return vae.factor() * family.denoiser().step();
  }

  /** A number of the VAE's latents as the denoiser sees it. */
  public double normalized(double latent) {
    return (latent - vae.shift()) * vae.scaling();
  }

  /** The other way. */
  double denormalized(double latent) {
    return latent / vae.scaling() + vae.shift();
  }
}
