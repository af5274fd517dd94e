package org.loranative.model.diffusion;

import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.graph.ShapeException;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Weights;

/**
 * Whether the parts of a base fit each other and the graphs that are built of them: where a number
 * of one does not, or a tensor of the UNet would be left out, it is another kind of model.
 */
final class BaseCheck {
  private static final int MASK = 1;

  private final DiffusionBase base;

  private BaseCheck(DiffusionBase base) {
    this.base = base;
  }

  static void check(DiffusionBase base) {
    BaseCheck check = new BaseCheck(base);
    check.channels();
    check.widths();
    check.divisions();
    check.tensors();
  }

  private void channels() {
    int reads = base.unet().inChannels();
    int latent = base.vae().latentChannels();
    if (reads == 2 * latent + MASK) {
      throw wrong(
          "is an inpainting model (its UNet reads "
              + reads
              + " channels: latents, mask and masked image). Inpainting is not supported; name the"
              + " text-to-image model that it was made from.");
    }
    if (reads != latent) {
      throw wrong(
          "has a UNet that reads "
              + reads
              + " channels, but latents of "
              + latent
              + ". Models that read more than latents (image editing, depth, upscaling) are not"
              + " supported; name a text-to-image model.");
    }
    require(base.unet().outChannels(), latent, "the UNet's out_channels", "latent_channels");
  }

  private void widths() {
    int text = base.text().hidden() + base.text2().map(ClipConfig::hidden).orElse(0);
    require(
        base.unet().contextWidth(), text, "the UNet's cross_attention_dim", "text encoders' width");
    base.text2()
        .ifPresent(
            t ->
                require(
                    t.positions(),
                    base.textTokens(),
                    "text_encoder_2's max_position_embeddings",
                    "text_encoder's"));
    boolean told = base.unet().sizeEmbedding() > 0;
    if (told != base.isSdxl()) {
      throw wrong(
          told
              ? "has SDXL's UNet but not SDXL's second text encoder; the model is not whole."
              : "has two text encoders, but its UNet is not SDXL's; it is not supported.");
    }
    if (told) {
      int pooled = base.text2().orElseThrow().hidden();
      require(
          base.unet().addedWidth(),
          pooled + Unet.SIZES * base.unet().sizeEmbedding(),
          "the UNet's projection_class_embeddings_input_dim",
          "width of pooled text and " + Unet.SIZES + " sizes");
    }
  }

  private void divisions() {
    for (UnetConfig.Level level : base.unet().levels()) {
      divides(base.unet().groups(), level.channels(), "the UNet's norm_num_groups");
      divides(level.heads(), level.channels(), "the UNet's attention heads");
    }
    base.vae().channels().forEach(c -> divides(base.vae().groups(), c, "VAE's norm_num_groups"));
    divides(base.text().heads(), base.text().hidden(), "the text encoder's attention heads");
    base.text2().ifPresent(t -> divides(t.heads(), t.hidden(), "text_encoder_2's attention heads"));
  }

  /** The graphs can be made, and the UNet's reads every tensor that is there. */
  private void tensors() {
    Map<String, Value> read;
    try {
      List<Graph> graphs = Painter.graphs(base, Adapters.none(), DType.F32);
      read = Weights.of(graphs);
    } catch (ShapeException e) {
      throw new UserException(
          "base_model "
              + base.path()
              + ": its tensors do not have the shapes that its configs tell ("
              + e.getMessage()
              + ").",
          e);
    }
    List<String> left = base.weights().unread(read, n -> base.isOfUnet(n));
    if (!left.isEmpty()) {
      throw wrong(
          String.format(
              "has %d tensors in its UNet that Stable Diffusion 1, 2 and XL have not, such as %s; it"
                  + " is another kind of model, which is not supported.",
              left.size(), left.get(0)));
    }
  }

  private void require(int actual, int expected, String what, String other) {
    if (actual != expected) {
      throw wrong("has " + actual + " as " + what + ", but " + expected + " as " + other + ".");
    }
  }

  private void divides(int parts, int whole, String what) {
    if (parts < 1 || whole % parts != 0) {
      throw wrong("has " + parts + " as " + what + ", which does not divide " + whole + ".");
    }
  }

  private UserException wrong(String what) {
    return new UserException("base_model " + base.path() + " " + what);
  }
}
