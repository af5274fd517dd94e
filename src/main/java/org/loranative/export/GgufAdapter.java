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
 * outputs in GGUF's order, one alpha for all.
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
          float[] inputs = columns(matrices.a(), names.columns(weight).back(), layer.target().in());
          for (GgufNames.Part part : names.parts(layer.target(), ".weight")) {
            float[] b = new float[Math.toIntExact(part.rows() * rank)];
            for (int row = 0; row < part.rows(); row++) {
              int ours = Math.toIntExact(part.ours().applyAsLong(row));
              System.arraycopy(matrices.b(), ours * rank, b, row * rank, rank);
            }
            tensors.add(tensor(part.name() + A, rank, layer.target().in(), inputs));
            tensors.add(tensor(part.name() + B, part.rows(), rank, times(b, scale)));
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
    if (layer.target().experts() > 0) {
      throw new UserException(
          String.format(
              "%s are experts of a mixture, whose adapters are not written for llama.cpp; merge the"
                  + " adapter into its base instead (lora-native merge).",
              path));
    }
  }

  private static TensorStream tensor(String name, long rows, long columns, float[] x) {
    return TensorStream.f32(name, List.of(rows, columns), x);
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
    int rank = Math.toIntExact(left.get(parts.get(0).name() + A).shape().get(0));
    float[] a = new float[0];
    float[] b = new float[Math.toIntExact(rank * target.out())];
    for (GgufNames.Part part : parts) {
      TensorEntry ofA = left.remove(part.name() + A);
      TensorEntry ofB = left.remove(part.name() + B);
      if (ofB == null
          || !ofA.shape().equals(List.of((long) rank, target.in()))
          || !ofB.shape().equals(List.of(part.rows(), (long) rank))) {
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
      for (int row = 0; row < part.rows(); row++) {
        int ours = Math.toIntExact(part.ours().applyAsLong(row));
        System.arraycopy(rows, row * rank, b, ours * rank, rank);
      }
    }
    float[] inOrder = columns(a, names.columns(target.path() + ".weight"), target.in());
    return AdaptedLayer.lowRank(
        target, alpha == 0 ? rank : alpha, new AdaptedLayer.LowRank(rank, inOrder, b));
  }
}
