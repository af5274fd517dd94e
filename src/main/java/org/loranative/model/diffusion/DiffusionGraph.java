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
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Linear;
import org.loranative.graph.ops.Split;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Net;
import org.loranative.model.Objective;

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
    Texts states = encode(base, net, texts, clipSkip);
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

  /** Whether any adapter is on a text encoder, whose states then change as training goes on. */
  public static boolean trainsText(Adapters adapters) {
    return adapters.modules().stream().anyMatch(m -> !m.path().startsWith(Unet.PREFIX));
  }

  /** States of texts [texts·positions, width], SDXL's pooled ones [texts, width]. */
  private record Texts(Value text, Optional<Value> pooled) {}

  private static Texts encode(DiffusionBase base, Net net, int texts, int clipSkip) {
    ClipText first = new ClipText(base.text(), DiffusionBase.TEXT, net);
    int layers = base.text().layers();
    if (base.text2().isEmpty()) {
      Value last = first.states(texts, layers - clipSkip).get(layers - clipSkip);
      return new Texts(first.finalNorm(last), Optional.empty());
    }
    // SDXL reads the states before the last layer, without the norm; the pooled one from the end.
    ClipText second = new ClipText(base.text2().get(), DiffusionBase.TEXT_2, net);
    int read = layers - 1 - clipSkip;
    int layers2 = base.text2().get().layers();
    List<Value> states2 = second.states(texts, layers2);
    Value text =
        Split.join(
            net.graph(),
            List.of(first.states(texts, read).get(read), states2.get(layers2 - 1 - clipSkip)));
    return new Texts(text, Optional.of(second.pooled(states2.get(layers2), texts)));
  }

  /** Texts that were encoded before: the inputs "text" and "pooled". */
  private static Texts encoded(DiffusionBase base, Net net, Size size) {
    Graph g = net.graph();
    long rows = (long) size.images() * size.keys();
    Value text =
        Cast.of(g, g.input(TEXT, DType.F32, rows, base.unet().contextWidth()), net.compute());
    return new Texts(
        text,
        base.text2()
            .map(c -> g.input(POOLED, DType.F32, size.images(), c.hidden()))
            .map(pooled -> Cast.of(g, pooled, net.compute())));
  }

  /**
   * "prediction" [images·height·width, channels] f32 for given latents, timesteps and text, which
   * is of {@link #texts}.
   */
  public static Graph prediction(DiffusionBase base, Adapters adapters, DType compute, Size size) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), adapters, compute, false);
    g.result(named(g, predict(base, net, size, encoded(base, net, size)), "prediction"));
    return g;
  }

  /**
   * Forward and backward of a batch: adds to the adapters' gradients, gives the objective's loss.
   *
   * @param encodes whether the text encoders run in it, for one row of tokens an image: their
   *     inputs then stand in the place of "text"
   */
  public static Graph training(
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Size size,
      boolean encodes,
      Objective<DenoisingObjective.Pair> objective) {
    Graph g = loss(base, adapters, compute, size, encodes, objective, true);
    Autodiff.backward(g);
    return g;
  }

  /** Loss alone, without dropout. */
  public static Graph evaluation(
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Size size,
      boolean encodes,
      Objective<DenoisingObjective.Pair> objective) {
    return loss(base, adapters, compute, size, encodes, objective, false);
  }

  private static Graph loss(
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Size size,
      boolean encodes,
      Objective<DenoisingObjective.Pair> objective,
      boolean training) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), adapters, compute, training);
    Texts texts = encodes ? encode(base, net, size.images(), 0) : encoded(base, net, size);
    Value prediction = predict(base, net, size, texts);
    Value target = g.input(TARGET, DType.F32, size.rows(), base.unet().outChannels());
    Value weights = g.input(WEIGHTS, DType.F32, size.images());
    objective.append(g, new DenoisingObjective.Pair(prediction, target, weights), training);
    return g;
  }

  private static Value predict(DiffusionBase base, Net net, Size size, Texts texts) {
    Graph g = net.graph();
    UnetConfig c = base.unet();
    Value latents =
        Cast.of(g, g.input(LATENTS, DType.F32, size.rows(), c.inChannels()), net.compute());
    return new Unet(c, net)
        .predict(
            new Features(latents, size.images(), size.height(), size.width()),
            g.input(TIMESTEPS, DType.F32, size.images()),
            texts.text,
            size.keys(),
            texts.pooled.map(
                pooled ->
                    new Unet.Added(
                        pooled, g.input(SIZES, DType.F32, (long) size.images() * Unet.SIZES))));
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
   * Every layer that an adapter could be put on, in the order of the model: the UNet's, then the
   * text encoders'.
   */
  public static List<Adapters.Target> targets(DiffusionBase base) {
    int side = 1 << (base.unet().levels().size() - 1);
    DType any = DType.F32;
    Graph unet = prediction(base, Adapters.none(), any, new Size(1, side, side, base.textTokens()));
    Map<String, Adapters.Target> targets = new LinkedHashMap<>();
    for (Graph g : List.of(unet, allTextLayers(base))) {
      for (Graph.Node node : g.nodes()) {
        if (node.op() instanceof Linear l) {
          Shape w = l.w0().shape();
          String path = l.y().name();
          targets.put(path, new Adapters.Target(path, w.dim(1), w.dim(0)));
        } else if (node.op() instanceof Conv2d conv) {
          Shape w = conv.w().shape();
          String path = conv.y().name();
          int kernel = (int) conv.setting().kernel();
          targets.put(path, new Adapters.Target(path, w.size() / w.dim(0), w.dim(0), kernel));
        }
      }
    }
    return List.copyOf(targets.values());
  }

  /** Every layer of the text encoders, also the last of SDXL's first, which nothing reads. */
  private static Graph allTextLayers(DiffusionBase base) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), Adapters.none(), DType.F32, false);
    new ClipText(base.text(), DiffusionBase.TEXT, net).states(1, base.text().layers());
    base.text2()
        .ifPresent(
            c -> {
              ClipText second = new ClipText(c, DiffusionBase.TEXT_2, net);
              second.pooled(second.states(1, c.layers()).get(c.layers()), 1);
            });
    return g;
  }
}
