package org.loranative.model.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.diffusion.Sampler;
import org.loranative.graph.Addresses;
import org.loranative.graph.Executor;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Value;
import org.loranative.image.Picture;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
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

  /** Every WEIGHT that drawing needs, for loading. */
  public static Graph weightsOf(DiffusionBase base, Adapters adapters, DType compute) {
    int side = 1 << (base.unet().levels().size() - 1);
    Graph all = DiffusionGraph.texts(base, adapters, compute, 1, 0);
    Graph unet =
        DiffusionGraph.prediction(
            base, adapters, compute, new DiffusionGraph.Size(1, side, side, base.textTokens()));
    Graph decoder = DiffusionGraph.decoder(base, vaeDtype(compute), 1, side, side);
    for (Graph other : List.of(unet, decoder)) {
      other.named().values().stream()
          .filter(v -> v.kind() == Kind.WEIGHT)
          .forEach(v -> all.named(v.kind(), v.name(), v.dtype(), v.shape()));
    }
    return all;
  }

  private static DType vaeDtype(DType compute) {
    return compute == DType.F16 ? DType.F32 : compute;
  }

  /** A graph planned and joined to memory of its own for as long as it is used. */
  private final class Running implements AutoCloseable {
    private final Graph graph;
    private final Plan plan;
    private final Executor executor = new Executor(device, false);
    private final Memory arena;
    private final Addresses at;

    Running(Graph graph) {
      this.graph = graph;
      this.plan = Planner.plan(graph, device);
      this.arena = device.allocate(plan.arenaBytes());
      this.at = plan.bind(arena.address(), placement::address);
    }

    Map<String, float[]> run(Map<String, ?> inputs) {
      for (Value v : graph.named().values()) {
        if (v.kind() != Kind.INPUT) {
          continue;
        }
        try (HostBuffer host = new HostBuffer(v.bytes())) {
          if (inputs.get(v.name()) instanceof int[] ints) {
            host.view().asIntBuffer().put(ints);
          } else {
            host.view().asFloatBuffer().put((float[]) inputs.get(v.name()));
          }
          device.upload(at.of(v), host, v.bytes());
        }
      }
      executor.run(plan, at);
      Map<String, float[]> results = new HashMap<>();
      for (Value v : graph.results()) {
        try (HostBuffer host = new HostBuffer(v.bytes())) {
          device.download(host, at.of(v), v.bytes());
          float[] values = new float[Math.toIntExact(v.shape().size())];
          host.view().asFloatBuffer().get(values);
          results.put(v.name(), values);
        }
      }
      return results;
    }

    @Override
    public void close() {
      executor.close();
      arena.close();
    }
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
    int keys = encode(texts, order.clipSkip(), inputs);
    float[] latents;
    DiffusionGraph.Size size = new DiffusionGraph.Size(texts.size(), height, width, keys);
    inputs.put(DiffusionGraph.SIZES, sizes(order, texts.size()));
    try (Running unet = new Running(DiffusionGraph.prediction(base, adapters, compute, size))) {
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
    try (Running decoder =
        new Running(DiffusionGraph.decoder(base, vaeDtype(compute), 1, height, width))) {
      float[] image =
          decoder.run(Map.of(DiffusionGraph.LATENTS, latents)).get(DiffusionGraph.IMAGE);
      return Picture.ofSigned(order.width(), order.height(), image);
    }
  }

  /** The model's answer, led away from that of the negative text. */
  private static float[] predict(
      Running unet, Map<String, float[]> fixed, float[] x, double t, int texts, double guidance) {
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

  /** Puts the texts' states into {@code inputs}; returns the tokens of each, equal for all. */
  private int encode(List<String> texts, int clipSkip, Map<String, float[]> inputs) {
    int length = base.textTokens();
    int rows =
        texts.stream()
            .flatMap(t -> tokenizers.stream().map(k -> k.rows(t, length).size()))
            .max(Integer::compare)
            .orElseThrow();
    Map<String, int[]> ids = new HashMap<>();
    for (int k = 0; k < tokenizers.size(); k++) {
      String prefix = k == 0 ? DiffusionBase.TEXT : DiffusionBase.TEXT_2;
      List<int[]> all = new ArrayList<>();
      for (String text : texts) {
        List<int[]> own = new ArrayList<>(tokenizers.get(k).rows(text, length));
        while (own.size() < rows) {
          own.addAll(tokenizers.get(k).rows("", length));
        }
        all.addAll(own);
      }
      int[] flat = all.stream().flatMapToInt(Arrays::stream).toArray();
      ids.put(prefix + "ids", flat);
      fillPositions(prefix, flat, length, tokenizers.get(k).end(), ids);
    }
    Graph graph = DiffusionGraph.texts(base, adapters, compute, texts.size() * rows, clipSkip);
    try (Running encoder = new Running(graph)) {
      Map<String, float[]> states = encoder.run(ids);
      inputs.put(DiffusionGraph.TEXT, states.get(DiffusionGraph.TEXT));
      if (states.containsKey(DiffusionGraph.POOLED)) {
        inputs.put(
            DiffusionGraph.POOLED,
            firstOfEach(states.get(DiffusionGraph.POOLED), texts.size(), rows));
      }
    }
    return rows * length;
  }

  /** The pooled state of a text is that of its first row. */
  private static float[] firstOfEach(float[] pooled, int texts, int rows) {
    int width = pooled.length / texts / rows;
    float[] first = new float[texts * width];
    for (int i = 0; i < texts; i++) {
      System.arraycopy(pooled, i * rows * width, first, i * width, width);
    }
    return first;
  }

  private static void fillPositions(
      String prefix, int[] ids, int length, int end, Map<String, int[]> inputs) {
    int[] positions = new int[ids.length];
    int[] start = new int[ids.length];
    int[] ends = new int[ids.length / length];
    for (int i = ids.length - 1; i >= 0; i--) {
      positions[i] = i % length;
      start[i] = i / length * length;
      if (ids[i] == end) {
        ends[i / length] = i;
      }
    }
    inputs.put(prefix + "positions", positions);
    inputs.put(prefix + "doc_start", start);
    inputs.put(prefix + "end_rows", ends);
  }
}
