package org.loranative.model.diffusion;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.device.Device;
import org.loranative.diffusion.Sampler;
import org.loranative.graph.Graph;
import org.loranative.graph.Planner;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.random.Philox;
import org.loranative.text.ClipTokenizer;

/** Draws images of texts: text states, sampling with guidance, decoding. */
public final class Painter {
  /**
   * What to draw.
   *
   * @param negative what to lead away from; may be empty
   * @param guidance how far (Ho & Salimans 2022); 1 asks the model once a step, without
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
      int clipSkip) {}

  private final Device device;
  private final DiffusionBase base;
  private final Adapters adapters;
  private final DType compute;
  private final Placement placement;
  private final List<ClipTokenizer> tokenizers;

  /**
   * @param tokenizers one for each of the base's text encoders; they stay the caller's
   * @param compute of the text encoders and the UNet; the VAE computes in f32, or bf16 with it (its
   *     activations overflow f16)
   */
  public Painter(
      Device device,
      DiffusionBase base,
      Adapters adapters,
      DType compute,
      Placement placement,
      List<ClipTokenizer> tokenizers) {
    this.device = device;
    this.base = base;
    this.adapters = adapters;
    this.compute = compute;
    this.placement = placement;
    this.tokenizers = List.copyOf(tokenizers);
  }

  /** Graphs, at their smallest, that name every weight that drawing needs. */
  public static List<Graph> graphs(DiffusionBase base, Adapters adapters, DType compute) {
    int side = 1 << (base.unet().levels().size() - 1);
    return List.of(
        DiffusionGraph.texts(base, adapters, compute, 1, 0),
        DiffusionGraph.prediction(
            base, adapters, compute, new DiffusionGraph.Size(1, side, side, base.textTokens())),
        DiffusionGraph.decoder(base, vaeDtype(compute), 1, side, side));
  }

  /** What the VAE computes in: its activations overflow f16. */
  public static DType vaeDtype(DType compute) {
    return compute == DType.F16 ? DType.F32 : compute;
  }

  private Session open(Graph graph) {
    return new Session(device, graph, placement);
  }

  /** Most bytes that drawing an image of this size allocates. */
  public static long bytes(
      Device device, DiffusionBase base, Adapters adapters, DType compute, int width, int height) {
    int h = height / base.latentFactor();
    int w = width / base.latentFactor();
    DiffusionGraph.Size size = new DiffusionGraph.Size(2, h, w, base.textTokens());
    return Stream.of(
            DiffusionGraph.prediction(base, adapters, compute, size),
            DiffusionGraph.texts(base, adapters, compute, 2, 0),
            DiffusionGraph.decoder(base, vaeDtype(compute), 1, h, w))
        .mapToLong(g -> Planner.plan(g, device).arenaBytes())
        .max()
        .orElseThrow();
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
    boolean guided = order.guidance() != 1;
    List<String> texts =
        guided ? List.of(order.negative(), order.prompt()) : List.of(order.prompt());
    Map<String, float[]> inputs = new HashMap<>();
    TextRows rows = TextRows.of(base, tokenizers, texts);
    Graph encoder =
        DiffusionGraph.texts(
            base, adapters, compute, texts.size() * rows.perText(), order.clipSkip());
    try (Session session = open(encoder)) {
      Map<String, float[]> states = session.run(rows.inputs());
      inputs.put(DiffusionGraph.TEXT, states.get(DiffusionGraph.TEXT));
      if (base.isSdxl()) {
        inputs.put(
            DiffusionGraph.POOLED,
            rows.firstOfEach(states.get(DiffusionGraph.POOLED), texts.size()));
      }
    }
    int keys = rows.perText() * base.textTokens();
    float[] latents;
    DiffusionGraph.Size size = new DiffusionGraph.Size(texts.size(), height, width, keys);
    inputs.put(DiffusionGraph.SIZES, sizes(order, texts.size()));
    try (Session unet = open(DiffusionGraph.prediction(base, adapters, compute, size))) {
      latents =
          order
              .sampler()
              .sample(
                  base.noise(),
                  order.steps(),
                  noise,
                  (x, t) -> predict(unet, inputs, x, t, texts.size(), order.guidance()),
                  step -> Philox.normals(n, order.seed(), Philox.NOISE, 1 + step, 0));
    }
    for (int i = 0; i < latents.length; i++) {
      latents[i] /= (float) base.latentScaling();
    }
    try (Session decoder =
        open(DiffusionGraph.decoder(base, vaeDtype(compute), 1, height, width))) {
      float[] image =
          decoder.run(Map.of(DiffusionGraph.LATENTS, latents)).get(DiffusionGraph.IMAGE);
      return Picture.ofSigned(order.width(), order.height(), image);
    }
  }

  /** The model's answer, led away from that of the negative text. */
  private static float[] predict(
      Session unet, Map<String, float[]> fixed, float[] x, double t, int texts, double guidance) {
    Map<String, float[]> inputs = new HashMap<>(fixed);
    float[] latents = new float[x.length * texts];
    float[] timesteps = new float[texts];
    for (int i = 0; i < texts; i++) {
      System.arraycopy(x, 0, latents, i * x.length, x.length);
      timesteps[i] = (float) t;
    }
    inputs.put(DiffusionGraph.LATENTS, latents);
    inputs.put(DiffusionGraph.TIMESTEPS, timesteps);
    float[] both = unet.run(inputs).get("prediction");
    if (texts == 1) {
      return both;
    }
    float[] led = new float[x.length];
    for (int i = 0; i < led.length; i++) {
      led[i] = (float) (both[i] + guidance * (both[x.length + i] - both[i]));
    }
    return led;
  }

  /** SDXL is told that the image was neither scaled nor cropped. */
  private static float[] sizes(Order order, int texts) {
    float[] sizes = new float[texts * Unet.SIZES];
    for (int i = 0; i < texts; i++) {
      int at = i * Unet.SIZES;
      sizes[at] = sizes[at + 4] = order.height();
      sizes[at + 1] = sizes[at + 5] = order.width();
    }
    return sizes;
  }
}
