package org.loranative.export;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.Part;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;

/**
 * Numbers of layers, experts' among them, with adapters merged in, some rows at a time, in the
 * order that the model computes in, however the base's file holds them.
 */
final class MergedRows implements AutoCloseable {
  private final Weights weights;
  private final Map<String, AdaptedLayer> layers;
  private final StoredRows stored;

  /**
   * @param layers what adapts them, by path
   */
  MergedRows(Weights weights, Map<String, AdaptedLayer> layers) {
    this.weights = weights;
    this.layers = layers;
    this.stored = weights.rows();
  }

  boolean isAdapted(Adapters.Target layer) {
    return layers.containsKey(layer.path());
  }

  /** Tensors of the file, or parts of some, that a layer is made of. */
  List<Weights.Rows> parts(Adapters.Target layer) {
    return weights.rowsOf(layer.path() + ".weight");
  }

  /** Where rows of a tensor are wanted among those of an expert. */
  private interface Use {
    void of(Weights.Rows part, int first, int count);
  }

  /** Finds the rows of an expert, {@code first} to {@code first + count - 1} at least. */
  private static void find(
      List<Weights.Rows> parts, Adapters.Target layer, int expert, int first, int count, Use use) {
    long begin = expert * layer.out();
    for (Weights.Rows part : parts) {
      boolean all = !part.order().isSame();
      long from = Math.max(part.first(), begin + (all ? 0 : first));
      long to = Math.min(part.end(), begin + (all ? layer.out() : first + count));
      if (from < to) {
        use.of(part, Math.toIntExact(from - part.first()), Math.toIntExact(to - from));
      }
    }
  }

  /**
   * Rows of an expert's matrix.
   *
   * @param parts of the layer
   */
  float[] rows(List<Weights.Rows> parts, Adapters.Target layer, int expert, int first, int count) {
    int in = Math.toIntExact(layer.in());
    int begin = Math.toIntExact(expert * layer.out() + first);
    float[] x = new float[Math.multiplyExact(count, in)];
    find(
        parts,
        layer,
        expert,
        first,
        count,
        (part, from, n) -> {
          float[] own = read(part, from, n, in);
          MergedTensors.requireFinite(part.reading().entry(), own);
          for (int i = 0; i < n; i++) {
            int at = part.of(from + i) - begin;
            if (at >= 0 && at < count) {
              System.arraycopy(own, i * in, x, at * in, in);
            }
          }
        });
    AdaptedLayer adapted = layers.get(layer.path());
    if (adapted != null) {
      IntStream.range(0, count)
          .parallel()
          .forEach(
              i -> {
                float[] row = new float[in];
                System.arraycopy(x, i * in, row, 0, in);
                adapted.method().merge(adapted, begin + i, row);
                System.arraycopy(row, 0, x, i * in, in);
              });
    }
    return x;
  }

  /** Bytes of an expert's rows that no adapter changes, of a layer that is one tensor. */
  byte[] bytes(List<Weights.Rows> parts, Adapters.Target layer, int expert, int first, int count) {
    assert parts.size() == 1 && !isAdapted(layer);
    return stored.bytes(parts.get(0).reading().entry(), expert * layer.out() + first, count);
  }

  /** Numbers of all experts' biases, [E, out]. */
  Optional<float[]> bias(Adapters.Target layer) {
    String name = layer.path() + ".bias";
    if (!weights.has(name)) {
      return Optional.empty();
    }
    float[] bias = new float[Math.toIntExact(weights.shape(name).size())];
    int at = 0;
    for (Weights.Rows part : weights.rowsOf(name)) {
      TensorEntry entry = part.reading().entry();
      float[] own = new float[Math.toIntExact(entry.elements())];
      stored.read(entry, 0, Math.toIntExact(entry.rows()), own);
      for (float x : own) {
        bias[Math.toIntExact(part.order().ours(at++))] = x;
      }
    }
    return Optional.of(bias);
  }

  private float[] read(Weights.Rows part, int first, int count, int in) {
    TensorEntry entry = part.reading().entry();
    float[] own = new float[Math.multiplyExact(count, in)];
    if (!part.reading().transposed()) {
      stored.read(entry, first, count, own);
      return own;
    }
    int out = Math.toIntExact(entry.columns());
    float[] all = new float[Math.multiplyExact(in, out)];
    stored.read(entry, 0, in, all);
    System.arraycopy(Part.transposed(all, in, out), first * in, own, 0, own.length);
    return own;
  }

  /** To be called when a layer has been read: its pages leave memory. */
  void done(List<Weights.Rows> parts) {
    parts.forEach(p -> stored.done(p.reading().entry()));
  }

  @Override
  public void close() {
    stored.close();
  }
}
