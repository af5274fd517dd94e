package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.Gguf;
import org.loranative.io.GgufMetadata;
import org.loranative.io.GgufWriter;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.model.llm.GgufNames;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Order;

/**
 * An adapter as llama.cpp's {@code --lora} loads it (its convert_lora_to_gguf.py): of each layer
 * {@code NAME.lora_a} [rank, in] and {@code NAME.lora_b} [out, rank] under GGUF's names, inputs and
 * outputs in GGUF's order, one alpha for all. Experts have [E, rank, in] and [E, out, rank]; gate
 * and up, where they are apart, share their A.
 */
final class GgufAdapter {
  private static final String ALPHA = "adapter.lora.alpha";
  private static final String A = ".lora_a";
  private static final String B = ".lora_b";

  private GgufAdapter() {}

  static void write(LlmBase base, Map<String, AdaptedLayer> layers, Path out) throws IOException {
    GgufNames names = base.ggufNames();
    List<TensorStream> tensors = new ArrayList<>();
    // llama.cpp divides the one alpha by each layer's rank; where that does not do, 0 means scale
    // 1.
    double[] alphas =
        layers.values().stream().mapToDouble(AdaptedLayer::alpha).distinct().toArray();
    boolean oneAlpha = alphas.length == 1;
    layers.forEach(
        (path, layer) -> {
          requireAlone(path, layer);
          AdaptedLayer.LowRank matrices =
              layer
                  .lowRank()
                  .orElseThrow(
                      () ->
                          new UserException(
                              String.format(
                                  "llama.cpp loads LoRA alone, but %s has %s; merge the adapter"
                                      + " into its base instead (lora-native merge).",
                                  path, layer.method().label())));
          float scale = oneAlpha ? 1 : (float) layer.scale();
          String weight = path + ".weight";
          int rank = matrices.rank();
          Adapters.Target target = layer.target();
          float[] inputs = columns(matrices.a(), names.columns(weight).back(), target.in());
          for (GgufNames.Part part : names.parts(target, ".weight")) {
            float[] b = new float[Math.toIntExact(matrices(target) * part.rows() * rank)];
            move(
                target,
                part,
                rank,
                (ours, own) -> System.arraycopy(matrices.b(), ours, b, own, rank));
            List<Long> ofA = shape(target, rank, target.in());
            tensors.add(TensorStream.f32(part.name() + A, ofA, inputs));
            List<Long> ofB = shape(target, part.rows(), rank);
            tensors.add(TensorStream.f32(part.name() + B, ofB, times(b, scale)));
          }
        });
    GgufMetadata metadata =
        new GgufMetadata()
            .string("general.architecture", names.architecture())
            .string("general.type", "adapter")
            .string("general.name", out.getFileName().toString().replace(".gguf", ""))
            .uint32("general.file_type", 0)
            .string("adapter.type", "lora")
            .float32(ALPHA, oneAlpha ? alphas[0] : 0);
    GgufWriter.write(out, metadata, tensors);
  }

  private static void requireAlone(String path, AdaptedLayer layer) {
    if (layer.method().replaces()) {
      throw new UserException(
          String.format(
              "The adapter holds all of %s, trained as a whole (modules_to_save), which llama.cpp"
                  + " does not load as an adapter; merge it into its base instead (lora-native"
                  + " merge).",
              path));
    }
  }

  /** How many matrices a layer is: one of each expert. */
  private static int matrices(Adapters.Target layer) {
    return Math.max(1, layer.experts());
  }

  private static List<Long> shape(Adapters.Target layer, long rows, long columns) {
    return layer.experts() > 0
        ? List.of((long) layer.experts(), rows, columns)
        : List.of(rows, columns);
  }

  /** Where a row of B stands in the layer's and in the part's. */
  private interface Move {
    void row(int ours, int own);
  }

  private static void move(Adapters.Target layer, GgufNames.Part part, int rank, Move move) {
    for (int m = 0; m < matrices(layer); m++) {
      for (int row = 0; row < part.rows(); row++) {
        long ours = m * layer.out() + part.ours().applyAsLong(row);
        move.row(Math.toIntExact(ours * rank), Math.toIntExact((m * part.rows() + row) * rank));
      }
    }
  }

  private static float[] times(float[] x, float by) {
    float[] y = x.clone();
    for (int i = 0; i < y.length; i++) {
      y[i] *= by;
    }
    return y;
  }

  private static float[] columns(float[] x, Order order, long columns) {
    float[] y = new float[x.length];
    int n = Math.toIntExact(columns);
    for (int from = 0; from < x.length; from += n) {
      System.arraycopy(order.inOrder(Arrays.copyOfRange(x, from, from + n)), 0, y, from, n);
    }
    return y;
  }

  /** Reads one, by path. */
  static Map<String, AdaptedLayer> read(Path file, LlmBase base) {
    TensorFile gguf = Gguf.read(file);
    if (!"lora".equals(gguf.metadata().get("adapter.type"))) {
      throw new UserException(
          file + " is no adapter (its adapter.type is not lora); a base is named with --base.");
    }
    double alpha = gguf.metadata().get(ALPHA) instanceof Double x ? x : 0;
    GgufNames names = base.ggufNames();
    Map<String, TensorEntry> left = new HashMap<>(gguf.tensors());
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (Adapters.Target target : base.targets()) {
      List<GgufNames.Part> parts = names.parts(target, ".weight");
      if (parts.stream().allMatch(p -> left.containsKey(p.name() + A))) {
        layers.put(target.path(), layer(file, left, names, target, parts, alpha));
      }
    }
    if (layers.isEmpty() || !left.isEmpty()) {
      throw new UserException(
          String.format(
              "%s holds %s, which belongs to no layer of %s; was it made for another base?",
              file, left.isEmpty() ? "nothing" : left.keySet().iterator().next(), base.path()));
    }
    return layers;
  }

  /** Takes a layer's matrices out of those that are left. */
  private static AdaptedLayer layer(
      Path file,
      Map<String, TensorEntry> left,
      GgufNames names,
      Adapters.Target target,
      List<GgufNames.Part> parts,
      double alpha) {
    List<Long> first = left.get(parts.get(0).name() + A).shape();
    int rank = Math.toIntExact(first.get(Math.max(0, first.size() - 2)));
    float[] a = new float[0];
    float[] b = new float[Math.toIntExact(matrices(target) * rank * target.out())];
    for (GgufNames.Part part : parts) {
      TensorEntry ofA = left.remove(part.name() + A);
      TensorEntry ofB = left.remove(part.name() + B);
      if (ofB == null
          || !ofA.shape().equals(shape(target, rank, target.in()))
          || !ofB.shape().equals(shape(target, part.rows(), rank))) {
        throw new UserException(
            String.format(
                "%s: %s %s and %s%s do not fit the base's layer of %d x %d; was it made for"
                    + " another base?",
                file,
                ofA.name(),
                ofA.shape(),
                part.name() + B,
                ofB == null ? ", which is missing," : " " + ofB.shape(),
                part.rows(),
                target.in()));
      }
      float[] own = Safetensors.floats(ofA);
      if (a.length > 0 && !Arrays.equals(a, own)) {
        throw new UserException(
            String.format(
                "%s: %s and %s%s differ, but are of one layer, %s, whose A is one.",
                file, ofA.name(), parts.get(0).name(), A, target.path()));
      }
      a = own;
      float[] rows = Safetensors.floats(ofB);
      move(target, part, rank, (ours, at) -> System.arraycopy(rows, at, b, ours, rank));
    }
    float[] inOrder = columns(a, names.columns(target.path() + ".weight"), target.in());
    return AdaptedLayer.lowRank(
        target, alpha == 0 ? rank : alpha, new AdaptedLayer.LowRank(rank, inOrder, b));
  }
}
