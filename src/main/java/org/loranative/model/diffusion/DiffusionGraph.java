package org.loranative.model.diffusion;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Cast;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.Mse;
import org.loranative.graph.ops.Split;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Net;

/**
 * The graphs of a diffusion model: text states, latents, prediction, one training step. Images and
 * latents are NHWC; inputs are f32 unless they say otherwise.
 */
public final class DiffusionGraph {
  /** Names of inputs. */
  public static final String LATENTS = "latents";

  public static final String TIMESTEPS = "timesteps";
  public static final String TEXT = "text";
  public static final String POOLED = "pooled";
  public static final String SIZES = "sizes";
  public static final String TARGET = "target";
  public static final String WEIGHTS = "weights";
  public static final String IMAGE = "image";

  private DiffusionGraph() {}

  /**
   * A batch's measures.
   *
   * @param height of the latents; width likewise
   * @param keys text tokens of an image: the encoder's length, or a multiple
   */
  public record Size(int images, int height, int width, int keys) {
    long rows() {
      return (long) images * height * width;
    }
  }

  /**
   * States of texts "text" [texts·positions, width] f32 (of SDXL's two encoders side by side, and
   * "pooled" [texts, width]). Inputs: see {@link ClipText}.
   *
   * @param clipSkip last layers left out, beside SDXL's own
   */
  public static Graph texts(
      DiffusionBase base, Adapters adapters, DType compute, int texts, int clipSkip) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), adapters, compute, false);
    Texts states = new Texts(base, net, texts, clipSkip);
    g.result(named(g, states.text, TEXT));
    states.pooled.ifPresent(p -> g.result(named(g, p, POOLED)));
    return g;
  }

  /** The value in f32, under a name. */
  private static Value named(Graph g, Value v, String name) {
    Value y = g.temp(name, DType.F32, v.shape());
    g.add(new Cast(v, y));
    return y;
  }

  private static final class Texts {
    final Value text;
    final Optional<Value> pooled;

    Texts(DiffusionBase base, Net net, int texts, int clipSkip) {
      ClipText first = new ClipText(base.text(), DiffusionBase.TEXT, net);
      if (base.text2().isEmpty()) {
        text = first.finalNorm(first.states(texts, clipSkip));
        pooled = Optional.empty();
        return;
      }
      // SDXL reads the states before the last layer, without the norm; the pooled one from the end.
      ClipText second = new ClipText(base.text2().get(), DiffusionBase.TEXT_2, net);
      text =
          Split.join(
              net.graph(),
              List.of(first.states(texts, 1 + clipSkip), second.states(texts, 1 + clipSkip)));
      pooled = Optional.of(second.pooled(second.states(texts, 0), texts));
    }
  }

  /** "prediction" [images·height·width, channels] f32 for given latents, timesteps and text. */
  public static Graph prediction(DiffusionBase base, Adapters adapters, DType compute, Size size) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), adapters, compute, false);
    g.result(named(g, predict(base, net, size), "prediction"));
    return g;
  }

  /**
   * Forward and backward of a batch: adds to the adapters' gradients, gives "loss".
   *
   * @param huber c of the pseudo-Huber loss, 0 for the squared
   */
  public static Graph training(
      DiffusionBase base, Adapters adapters, DType compute, Size size, float huber) {
    Graph g = loss(base, adapters, compute, size, huber, true);
    Autodiff.backward(g);
    return g;
  }

  /** Loss alone, without dropout. */
  public static Graph evaluation(
      DiffusionBase base, Adapters adapters, DType compute, Size size, float huber) {
    return loss(base, adapters, compute, size, huber, false);
  }

  private static Graph loss(
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Size size,
      float huber,
      boolean training) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), adapters, compute, training);
    Value prediction = predict(base, net, size);
    Value target = g.input(TARGET, DType.F32, size.rows(), base.unet().outChannels());
    Value weights = g.input(WEIGHTS, DType.F32, size.images());
    Mse.of(g, prediction, target, weights, huber, training);
    return g;
  }

  private static Value predict(DiffusionBase base, Net net, Size size) {
    Graph g = net.graph();
    DType compute = net.compute();
    UnetConfig c = base.unet();
    Value latents = Cast.of(g, g.input(LATENTS, DType.F32, size.rows(), c.inChannels()), compute);
    Value text =
        Cast.of(
            g,
            g.input(TEXT, DType.F32, (long) size.images() * size.keys(), c.contextWidth()),
            compute);
    Optional<Unet.Added> added = Optional.empty();
    if (base.text2().isPresent()) {
      long width = base.text2().get().hidden();
      added =
          Optional.of(
              new Unet.Added(
                  Cast.of(g, g.input(POOLED, DType.F32, size.images(), width), compute),
                  g.input(SIZES, DType.F32, (long) size.images() * Unet.SIZES)));
    }
    return new Unet(c, net)
        .predict(
            new Features(latents, size.images(), size.height(), size.width()),
            g.input(TIMESTEPS, DType.F32, size.images()),
            text,
            size.keys(),
            added);
  }

  /** "moments" [images·height·width, 2 channels] f32 of "image" in [−1, 1]. */
  public static Graph encoder(
      DiffusionBase base, DType compute, int images, int height, int width) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), Adapters.none(), compute, false);
    Value image = Cast.of(g, g.input(IMAGE, DType.F32, (long) images * height * width, 3), compute);
    Features moments = new Vae(base.vae(), net).encode(new Features(image, images, height, width));
    g.result(named(g, moments.x(), "moments"));
    return g;
  }

  /** "image" [images·H·W, 3] f32 of "latents" (not scaled) of a height and width. */
  public static Graph decoder(
      DiffusionBase base, DType compute, int images, int height, int width) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), Adapters.none(), compute, false);
    long rows = (long) images * height * width;
    Value latents = Cast.of(g, g.input(LATENTS, DType.F32, rows, base.latentChannels()), compute);
    Features image = new Vae(base.vae(), net).decode(new Features(latents, images, height, width));
    g.result(named(g, image.x(), IMAGE));
    return g;
  }

  /**
   * Every linear layer that an adapter could be put on, in the order of the model: the UNet's, then
   * the text encoders'.
   */
  public static List<Adapters.Target> targets(DiffusionBase base) {
    int side = 1 << (base.unet().levels().size() - 1);
    DType any = DType.F32;
    Graph unet = prediction(base, Adapters.none(), any, new Size(1, side, side, base.textTokens()));
    Map<String, Adapters.Target> targets = new LinkedHashMap<>();
    for (Graph g : List.of(unet, texts(base, Adapters.none(), any, 1, 0))) {
      for (Graph.Node node : g.nodes()) {
        if (node.op() instanceof Linear l) {
          Shape w = l.w0().shape();
          String path = l.y().name();
          // SDXL's second text encoder runs twice, for its states and for the pooled one.
          targets.putIfAbsent(path, new Adapters.Target(path, w.dim(1), w.dim(0)));
        }
      }
    }
    return List.copyOf(targets.values());
  }
}
