package org.loranative.graph.ops;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.loranative.device.CpuDevice;
import org.loranative.device.CudaDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.gpucheck.Report;
import org.loranative.graph.Autodiff;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Op;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.testing.GraphRunner;
import org.loranative.testing.TestDevices;

/**
 * Times products, convolutions and attention by shape on a card, forward and backward. Arguments:
 * nanoseconds of one measurement at least, then the shapes, a word group each ({@code
 * benchmarks/gpu_check/kernels_stage.py} names them): {@code linear,BF16,M,in,out}, {@code
 * conv,images,side,in,out}, {@code attention,heads,kvHeads,headDim,queries,batch,keys}.
 */
public final class KernelTimes {
  private static final int RANK = 16;
  private static final int MOST_REPEATS = 10_000;

  private final Device device;
  private final long longEnough;
  private final SplittableRandom random = new SplittableRandom(5);
  private String shape;

  private KernelTimes(Device device, long longEnough) {
    this.device = device;
    this.longEnough = longEnough;
  }

  public static void main(String[] args) {
    try (Device device = new CudaDevice("cuda-emu", TestDevices.emulator())) {
      KernelTimes times = new KernelTimes(device, Long.parseLong(args[0]));
      for (int i = 1; i < args.length; i++) {
        times.time(args[i]);
      }
    }
  }

  private void time(String wanted) {
    shape = wanted;
    Report.line(line -> line.put("began", wanted));
    String[] words = wanted.split(",");
    int[] n = new int[words.length];
    for (int i = words[0].equals("linear") ? 2 : 1; i < n.length; i++) {
      n[i] = Integer.parseInt(words[i]);
    }
    switch (words[0]) {
      case "linear" -> linear(DType.valueOf(words[1]), n[2], n[3], n[4]);
      case "conv" -> convolution(n[1], n[2], n[3], n[4]);
      default -> attention(n[1], n[2], n[3], n[4], n[5], n[6]);
    }
    Report.line(line -> line.put("ended", wanted));
  }

  private void linear(DType type, int m, int in, int out) {
    Graph g = new Graph();
    Value x = OpCase.leaf(g, "x", DType.BF16, m, in);
    Value w = g.named(Kind.WEIGHT, "w", type, Shape.of(out, in));
    g.result(Linear.of(g, "plain", x, w, Optional.empty(), DType.BF16));
    Value y =
        LoraLinear.of(
            g,
            "y",
            x,
            w,
            Optional.empty(),
            LowRank.of(
                g,
                g.named(Kind.PARAM, "a", DType.F32, Shape.of(RANK, in)),
                g.named(Kind.PARAM, "b", DType.F32, Shape.of(out, RANK)),
                DType.BF16),
            new LoraLinear.Setting(0.5f, 0, 0));
    double product = 2.0 * m * in * out;
    double low = 2.0 * m * RANK * (in + out);
    time(
        g,
        y,
        Map.of(),
        Map.of(
            "linear",
            product,
            "lora_linear",
            product + low,
            "lora_linear_backward",
            product + 2 * low));
  }

  private void convolution(int images, int side, int in, int out) {
    Conv2d.Setting s = Conv2d.Setting.same(images, side, side, 3, 1);
    int pixels = images * side * side;
    Graph g = new Graph();
    Value y =
        Conv2d.of(
            g,
            "y",
            OpCase.leaf(g, "x", DType.BF16, pixels, in),
            g.named(Kind.WEIGHT, "w", DType.BF16, Shape.of(out, 3, 3, in)),
            Optional.empty(),
            s);
    double product = 2.0 * pixels * 9 * in * out;
    time(g, y, Map.of(), Map.of("conv2d", product, "conv2d_backward", product));
  }

  /**
   * @param keys 0 for causal attention within documents of {@code length}, else full attention
   */
  private void attention(int heads, int kvHeads, int head, int length, int batch, int keys) {
    int m = batch * length;
    int n = batch * (keys == 0 ? length : keys);
    boolean causal = keys == 0;
    Graph g = new Graph();
    Value q = OpCase.leaf(g, "q", DType.BF16, m, (long) heads * head);
    Value k = OpCase.leaf(g, "k", DType.BF16, n, (long) kvHeads * head);
    Value v = OpCase.leaf(g, "v", DType.BF16, n, (long) kvHeads * head);
    float scale = (float) (1 / Math.sqrt(head));
    Map<String, Object> ints = new HashMap<>();
    Value y;
    if (causal) {
      int[] start = new int[m];
      for (int i = 0; i < m; i++) {
        start[i] = i / length * length;
      }
      ints.put("doc_start", start);
      y =
          Attention.of(
              g,
              "o",
              q,
              k,
              v,
              g.input("doc_start", DType.I32, m),
              Attention.Setting.causal(heads, kvHeads, head, scale, 0, 0, length));
    } else {
      y = Attention.of(g, "o", q, k, v, Attention.Setting.full(heads, head, length, keys));
    }
    double pairs = causal ? (double) m * (length + 1) / 2 : (double) m * keys;
    // Two products forward; five backward.
    time(
        g,
        y,
        ints,
        Map.of(
            "attention",
            4 * pairs * heads * head,
            "attention_backward",
            10 * pairs * heads * head));
  }

  /** Runs the graph once, then each op that {@code flops} names as often as it takes. */
  private void time(Graph g, Value y, Map<String, Object> ints, Map<String, Double> flops) {
    g.result(y);
    Value dy = g.named(Kind.INPUT, "dy", DType.F32, y.shape());
    g.add(new OpCase.Sink(List.of(y), List.of(dy), List.of(g.like(y, "dy.cast"))));
    Autodiff.backward(g);
    try (GraphRunner runner = new GraphRunner(g, device)) {
      for (Value v : g.named().values()) {
        int n = Math.toIntExact(v.shape().size());
        if (v.name().equals("step")) {
          runner.setBytes("step", b -> OpCases.step(1).write(b));
        } else if (v.dtype() == DType.NF4) {
          ByteBuffer blocks = nf4(n);
          runner.setBytes(v.name(), b -> b.put(blocks));
        } else if (v.kind() == Kind.WEIGHT || v.kind() == Kind.PARAM) {
          runner.set(v.name(), numbers(n, v.name().startsWith("x") ? 1 : 0.05));
        }
      }
      Map<String, Object> inputs = new HashMap<>(ints);
      inputs.put("dy", numbers(Math.toIntExact(dy.shape().size()), 1));
      runner.run(inputs);
      for (Op op : runner.plan().ops()) {
        Double work = flops.get(op.name());
        if (work != null) {
          long nanos = nanos(runner, op);
          Report.line(
              line ->
                  line.put("shape", shape)
                      .put("op", op.name())
                      .put("ms", nanos / 1e6)
                      .put("tflops", work / nanos / 1e3));
        }
      }
    }
  }

  private long nanos(GraphRunner runner, Op op) {
    int repeats = 1;
    while (true) {
      device.await();
      long start = System.nanoTime();
      for (int i = 0; i < repeats; i++) {
        runner.again(op);
      }
      device.await();
      long nanos = System.nanoTime() - start;
      if (nanos >= longEnough || repeats == MOST_REPEATS) {
        return nanos / repeats;
      }
      repeats = (int) Math.min(MOST_REPEATS, repeats * Math.max(2, 1.5 * longEnough / nanos));
    }
  }

  private float[] numbers(int n, double scale) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      // The sum of two uniform numbers: cheap, and no hardware finds zeros in it.
      long bits = random.nextLong();
      double sum = ((int) bits + (double) (int) (bits >>> 32)) / Integer.MAX_VALUE;
      x[i] = (float) (sum * scale);
    }
    return x;
  }

  private ByteBuffer nf4(int n) {
    try (HostBuffer source = new HostBuffer(n * 4L);
        HostBuffer blocks = new HostBuffer(DType.NF4.bytes(n))) {
      source.view().asFloatBuffer().put(numbers(n, 0.05));
      CpuDevice.quantizeNf4(source.address(), blocks, n);
      return ByteBuffer.allocate((int) DType.NF4.bytes(n)).put(blocks.view()).flip();
    }
  }
}
