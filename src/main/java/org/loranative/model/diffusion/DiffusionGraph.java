package org.loranative.model.diffusion;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Cast;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Linear;
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
  public static final String TARGET = "target";
  public static final String WEIGHTS = "weights";
  public static final String IMAGE = "image";

  private DiffusionGraph() {}

  /**
   * A batch's measures.
   *
   * @param height of the latents; width likewise
   * @param keys text tokens of an image: the encoders' length, or a multiple
   */
  public record Size(int images, int height, int width, int keys) {
    long rows() {
      return (long) images * height * width;
    }
  }

  /**
   * The family's {@link Condition}s of rows of tokens, f32, each under its name. Inputs: see {@link
   * TextReader}.
   *
   * @param clipSkip last layers left out, beside the family's own
   */
  public static Graph texts(
      DiffusionBase base, Adapters adapters, DType compute, int rows, int clipSkip) {
    Graph g = new Graph();
    TextEncoders text = base.family().text();
    Net net = new Net(g, base.weights(), adapters, text.compute(compute), false);
    text.encode(net, rows, clipSkip).forEach((name, states) -> g.result(named(g, states, name)));
    return g;
  }

  /** The value in f32, under a name. */
  private static Value named(Graph g, Value v, String name) {
    Value y = g.temp(name, DType.F32, v.shape());
    g.add(new Cast(v, y));
    return y;
  }

  /** Whether any adapter is on a text encoder, whose states then change as training goes on. */
  public static boolean trainsText(DiffusionBase base, Adapters adapters) {
    return adapters.modules().stream().anyMatch(m -> !base.isDenoisers(m.path()));
  }

  /** Conditions that were made before, as inputs under their names. */
  private static Map<String, Value> encoded(DiffusionBase base, Net net, Size size) {
    Graph g = net.graph();
    Map<String, Value> conditions = new LinkedHashMap<>();
    for (Condition c : base.family().text().conditions()) {
      long rows = c.perToken() ? (long) size.images() * size.keys() : size.images();
      Value input = g.input(c.name(), DType.F32, rows, c.width());
      conditions.put(c.name(), Cast.of(g, input, net.compute()));
    }
    return conditions;
  }

  /** Conditions that the step itself makes. */
  private static Map<String, Value> encodedHere(
      DiffusionBase base, Net net, Size size, int clipSkip) {
    TextEncoders text = base.family().text();
    DType own = text.compute(net.compute());
    Net texts = new Net(net.graph(), net.weights(), net.adapters(), own, net.training());
    Map<String, Value> conditions =
        new LinkedHashMap<>(text.encode(texts, size.images(), clipSkip));
    conditions.replaceAll((name, v) -> Cast.of(net.graph(), v, net.compute()));
    return conditions;
  }

  /**
   * "prediction" [images·height·width, channels] f32 for given latents, timesteps and conditions,
   * which are of {@link #texts}.
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
   *     inputs then stand in the place of the conditions
   * @param clipSkip last layers that they then leave out, beside the family's own
   */
  public static Graph training(
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Size size,
      boolean encodes,
      int clipSkip,
      Objective<DenoisingObjective.Pair> objective) {
    Graph g = loss(base, adapters, compute, size, encodes, clipSkip, objective, true);
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
      int clipSkip,
      Objective<DenoisingObjective.Pair> objective) {
    return loss(base, adapters, compute, size, encodes, clipSkip, objective, false);
  }

  private static Graph loss(
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Size size,
      boolean encodes,
      int clipSkip,
      Objective<DenoisingObjective.Pair> objective,
      boolean training) {
    Graph g = new Graph();
    Net net = new Net(g, base.weights(), adapters, compute, training);
    Map<String, Value> conditions =
        encodes ? encodedHere(base, net, size, clipSkip) : encoded(base, net, size);
    Value prediction = predict(base, net, size, conditions);
    Value target = g.input(TARGET, DType.F32, size.rows(), base.latentChannels());
    Value weights = g.input(WEIGHTS, DType.F32, size.images());
    objective.append(g, new DenoisingObjective.Pair(prediction, target, weights), training);
    return g;
  }

  private static Value predict(
      DiffusionBase base, Net net, Size size, Map<String, Value> conditions) {
    Graph g = net.graph();
    Value latents =
        Cast.of(g, g.input(LATENTS, DType.F32, size.rows(), base.latentChannels()), net.compute());
    return base.family()
        .denoiser()
        .predict(
            net,
            new Features(latents, size.images(), size.height(), size.width()),
            g.input(TIMESTEPS, DType.F32, size.images()),
            conditions,
            size.keys());
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
   * Every layer that an adapter could be put on, in the order of the model: the denoiser's, then
   * the text encoders'.
   */
  public static List<Adapters.Target> targets(DiffusionBase base) {
    int side = base.family().denoiser().leastSide();
    Size least = new Size(1, side, side, base.family().text().tokens());
    Graph texts = new Graph();
    base.family().text().trace(new Net(texts, base.weights(), Adapters.none(), DType.F32, false));
    Map<String, Adapters.Target> targets = new LinkedHashMap<>();
    for (Graph g : List.of(prediction(base, Adapters.none(), DType.F32, least), texts)) {
      Map<Value, String> readers = new HashMap<>();
      for (Graph.Node node : g.nodes()) {
        if (node.op() instanceof Linear l) {
          Shape w = l.w0().shape();
          String path = l.y().name();
          readers.putIfAbsent(l.x(), path);
          String first = readers.get(l.x());
          targets.put(path, Adapters.Target.beside(first, path, w.dim(1), w.dim(0)));
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
}
