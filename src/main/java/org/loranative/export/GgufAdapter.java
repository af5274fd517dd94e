package org.loranative.export;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.loranative.model.weights.Reading;

/**
 * An adapter as llama.cpp's {@code --lora} loads it (its convert_lora_to_gguf.py): of each layer
 * {@code NAME.lora_a} [rank, in] and {@code NAME.lora_b} [out, rank] under GGUF's names, outputs in
 * GGUF's order, one alpha for all.
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
          String name = names.of(path + ".weight");
          float scale = oneAlpha ? 1 : (float) layer.scale();
          long headRows = names.headRows(path, layer.target().out());
          tensors.add(tensor(name + A, matrices.rank(), layer.target().in(), matrices.a()));
          tensors.add(
              tensor(
                  name + B,
                  layer.target().out(),
                  matrices.rank(),
                  times(reordered(matrices.b(), matrices.rank(), headRows, true), scale)));
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

  /** Rows in GGUF's order, or back. */
  private static float[] reordered(float[] x, int columns, long headRows, boolean toFile) {
    if (headRows == 0) {
      return x;
    }
    float[] y = new float[x.length];
    for (int row = 0; row < x.length / columns; row++) {
      long file = Reading.interleaved(row, headRows);
      int from = (int) (toFile ? row : file) * columns;
      int to = (int) (toFile ? file : row) * columns;
      System.arraycopy(x, from, y, to, columns);
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
      String name = names.of(target.path() + ".weight");
      TensorEntry a = left.remove(name + A);
      TensorEntry b = left.remove(name + B);
      if (a != null && b != null) {
        int rank = Math.toIntExact(a.shape().get(0));
        if (!a.shape().equals(List.of((long) rank, target.in()))
            || !b.shape().equals(List.of(target.out(), (long) rank))) {
          throw new UserException(
              String.format(
                  "%s: %s %s and %s %s do not fit the base's layer of %d x %d; was it made for"
                      + " another base?",
                  file, a.name(), a.shape(), b.name(), b.shape(), target.out(), target.in()));
        }
        layers.put(
            target.path(),
            AdaptedLayer.lowRank(
                target,
                alpha == 0 ? rank : alpha,
                new AdaptedLayer.LowRank(
                    rank,
                    Safetensors.floats(a),
                    reordered(
                        Safetensors.floats(b),
                        rank,
                        names.headRows(target.path(), target.out()),
                        false))));
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
}
