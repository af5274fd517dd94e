package org.loranative.model.diffusion;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.diffusion.Sampler;
import org.loranative.graph.Graph;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.random.Philox;

/** Draws images of texts: text states, sampling with guidance, decoding. */
public final class Painter {
  /**
   * What to draw.
   *
   * @param negative what to lead away from; may be empty
   * @param guidance how far to follow the prompt; where {@link Guidance#LED}, 1 asks the model once
   *     a step, without
   * @param clipSkip last layers of the text encoder that are left out
   */
  public record Order(
      String prompt,
      String negative,
      int width,
      int height,
      Sampler sampler,
      int steps,
      double guidance,
      long seed,
      int clipSkip) {

    /** What the text encoders read: with guidance by two texts, both. */
    private List<String> texts(Guidance by) {
      return by == Guidance.LED && guidance != 1 ? List.of(negative, prompt) : List.of(prompt);
    }
  }

  private final Device device;
  private final DiffusionBase base;
  private final Adapters adapters;
  private final DType compute;
  private final Placement placement;
  private final TextReader reader;
  private final Optional<Memory> arena;

  /**
   * @param reader of the base; it stays the caller's
   * @param compute of the text encoders and the denoiser; the VAE computes in f32, or bf16 with it
   *     (its activations overflow f16)
   * @param arena that others take turns in; without, each graph gets one of its own
   */
  public Painter(
      Device device,
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Placement placement,
      TextReader reader,
      Optional<Memory> arena) {
    this.device = device;
    this.base = base;
    this.adapters = adapters;
    this.compute = compute;
    this.placement = placement;
    this.reader = reader;
    this.arena = arena;
  }

  /** Graphs, at their smallest, that name every weight that drawing needs. */
  public static List<Graph> graphs(DiffusionBase base, Adapters adapters, DType compute) {
    int side = base.family().denoiser().leastSide();
    return List.of(
        DiffusionGraph.texts(base, adapters, compute, 1, 0),
        DiffusionGraph.prediction(
            base,
            adapters,
            compute,
            new DiffusionGraph.Size(1, side, side, base.family().text().tokens())),
        DiffusionGraph.decoder(base, vaeDtype(compute), 1, side, side));
  }

  /** What the VAE computes in: its activations overflow f16. */
  public static DType vaeDtype(DType compute) {
    return compute == DType.F16 ? DType.F32 : compute;
  }

  private Session open(Graph graph) {
    return new Session(device, graph, placement, arena);
  }

  /** Drawing one order. */
  private record Drawing(TextRows rows, Graph texts, Graph prediction, Graph decoder) {
    static Drawing of(
        DiffusionBase base, Adapters adapters, DType compute, TextReader reader, Order order) {
      int height = order.height() / base.latentFactor();
      int width = order.width() / base.latentFactor();
      List<String> texts = order.texts(base.family().guidance());
      TextRows rows = reader.rows(texts);
      int keys = rows.perText() * base.family().text().tokens();
      return new Drawing(
          rows,
          DiffusionGraph.texts(
              base, adapters, compute, texts.size() * rows.perText(), order.clipSkip()),
          DiffusionGraph.prediction(
              base, adapters, compute, new DiffusionGraph.Size(texts.size(), height, width, keys)),
          DiffusionGraph.decoder(base, vaeDtype(compute), 1, height, width));
    }
  }

  /** The graphs that drawing an order runs. */
  public static List<Graph> graphs(
      DiffusionBase base, Adapters adapters, DType compute, TextReader reader, Order order) {
    Drawing drawing = Drawing.of(base, adapters, compute, reader, order);
    return List.of(drawing.texts(), drawing.prediction(), drawing.decoder());
  }

  /**
   * Draws one image.
   *
   * @param start noise to start from [h·w·channels], NHWC; drawn from the seed if absent
   */
  public Picture paint(Order order, Optional<float[]> start) {
    int height = order.height() / base.latentFactor();
    int width = order.width() / base.latentFactor();
    int n = height * width * base.latentChannels();
    float[] noise = start.orElseGet(() -> Philox.normals(n, order.seed(), Philox.NOISE, 0, 0));
    List<String> read = order.texts(base.family().guidance());
    int texts = read.size();
    Drawing drawing = Drawing.of(base, adapters, compute, reader, order);
    Map<String, Object> inputs = new HashMap<>(reader.told(read));
    try (Session session = open(drawing.texts())) {
      Map<String, float[]> states = session.run(drawing.rows().inputs());
      for (Condition c : base.family().text().conditions()) {
        float[] own = states.get(c.name());
        inputs.put(c.name(), c.perToken() ? own : drawing.rows().firstOfEach(own, texts));
      }
    }
    float[] latents;
    base.family()
        .denoiser()
        .told(Framing.whole(order.height(), order.width()), order.guidance())
        .forEach((name, one) -> inputs.put(name, repeated(one, texts)));
    try (Session denoiser = open(drawing.prediction())) {
      latents =
          order
              .sampler()
              .sample(
                  order.steps(),
                  (long) height * width,
                  noise,
                  (x, t) -> predict(denoiser, inputs, x, t, texts, order.guidance()),
                  step -> Philox.normals(n, order.seed(), Philox.NOISE, 1 + step, 0));
    }
    for (int i = 0; i < latents.length; i++) {
      latents[i] = (float) base.denormalized(latents[i]);
    }
    try (Session decoder = open(drawing.decoder())) {
      float[] image =
          decoder.run(Map.of(DiffusionGraph.LATENTS, latents)).get(DiffusionGraph.IMAGE);
      return Picture.ofSigned(order.width(), order.height(), image);
    }
  }

  /** The model's answer, led away from that of the negative text. */
  private static float[] predict(
      Session denoiser,
      Map<String, Object> fixed,
      float[] x,
      double t,
      int texts,
      double guidance) {
    Map<String, Object> inputs = new HashMap<>(fixed);
    inputs.put(DiffusionGraph.LATENTS, repeated(x, texts));
    inputs.put(DiffusionGraph.TIMESTEPS, repeated(new float[] {(float) t}, texts));
    float[] both = denoiser.run(inputs).get("prediction");
    if (texts == 1) {
      return both;
    }
    float[] led = new float[x.length];
    for (int i = 0; i < led.length; i++) {
      led[i] = (float) (both[i] + guidance * (both[x.length + i] - both[i]));
    }
    return led;
  }

  private static float[] repeated(float[] one, int times) {
    float[] all = new float[one.length * times];
    for (int i = 0; i < times; i++) {
      System.arraycopy(one, 0, all, i * one.length, one.length);
    }
    return all;
  }
}
