package org.loranative.lora;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Layers that read the same input and that files hold as one: their outputs stand one behind the
 * other (the q, k and v of transformers in their authors' code).
 *
 * @param layers in the order of their outputs
 */
record FusedLayer(String name, List<Adapters.Target> layers) {
  FusedLayer {
    layers = List.copyOf(layers);
  }

  /** The whole as one layer of the same part of the model. */
  Adapters.Target whole() {
    Adapters.Target first = layers.get(0);
    String part = first.path().substring(0, first.path().indexOf('.') + 1);
    return new Adapters.Target(part + name, first.in(), start(layers.size()));
  }

  /** The first of a layer's rows among those of the whole. */
  private int start(int layer) {
    return Math.toIntExact(layers.subList(0, layer).stream().mapToLong(Adapters.Target::out).sum());
  }

  private int rows(int layer) {
    return Math.toIntExact(layers.get(layer).out());
  }

  /**
   * LoRA of the whole that changes each layer as its own does. Where all layers share one A it
   * stays one; else the As stand one below the other and each B reaches its own.
   *
   * @param own adapters of some of the layers, by path
   * @return nothing if one of them is no LoRA
   */
  Optional<AdaptedLayer> join(Map<String, AdaptedLayer> own) {
    List<Optional<AdaptedLayer>> parts =
        layers.stream().map(t -> Optional.ofNullable(own.get(t.path()))).toList();
    List<AdaptedLayer> present = parts.stream().flatMap(Optional::stream).toList();
    if (present.stream().anyMatch(p -> p.lowRank().isEmpty())) {
      return Optional.empty();
    }
    boolean oneScale = present.stream().mapToDouble(AdaptedLayer::scale).distinct().count() == 1;
    double scale = oneScale ? present.get(0).scale() : 1;
    boolean shared =
        present.size() == layers.size()
            && present.stream()
                .map(FusedLayer::a)
                .skip(1)
                .allMatch(a -> Arrays.equals(a, a(present.get(0))));
    int rank = shared ? present.get(0).rank() : present.stream().mapToInt(AdaptedLayer::rank).sum();
    int in = Math.toIntExact(whole().in());
    float[] a = new float[rank * in];
    float[] b = new float[start(layers.size()) * rank];
    int row = 0;
    for (int i = 0; i < parts.size(); i++) {
      if (parts.get(i).isEmpty()) {
        continue;
      }
      AdaptedLayer part = parts.get(i).get();
      AdaptedLayer.LowRank matrices = part.lowRank().orElseThrow();
      float by = oneScale ? 1 : (float) part.scale();
      System.arraycopy(matrices.a(), 0, a, row * in, matrices.a().length);
      for (int o = 0; o < rows(i); o++) {
        for (int k = 0; k < matrices.rank(); k++) {
          b[(start(i) + o) * rank + row + k] = by * matrices.b()[o * matrices.rank() + k];
        }
      }
      row += shared ? 0 : matrices.rank();
    }
    return Optional.of(
        AdaptedLayer.lowRank(whole(), scale * rank, new AdaptedLayer.LowRank(rank, a, b)));
  }

  private static float[] a(AdaptedLayer layer) {
    return layer.lowRank().orElseThrow().a();
  }

  /**
   * Each layer's own share of LoRA of the whole, without the directions that do not reach it.
   *
   * @return nothing if it is no LoRA
   */
  Optional<Map<String, AdaptedLayer>> split(AdaptedLayer whole) {
    return whole.lowRank().map(matrices -> split(matrices, whole.scale()));
  }

  private Map<String, AdaptedLayer> split(AdaptedLayer.LowRank whole, double scale) {
    Map<String, AdaptedLayer> own = new LinkedHashMap<>();
    for (int i = 0; i < layers.size(); i++) {
      int first = start(i);
      int out = rows(i);
      int[] reaching =
          inBlocks(whole)
              ? IntStream.range(0, whole.rank() / layers.size()).map(block(whole, i)).toArray()
              : IntStream.range(0, whole.rank())
                  .filter(k -> reaches(whole, k, first, out))
                  .toArray();
      if (reaching.length > 0) {
        Adapters.Target target = layers.get(i);
        own.put(
            target.path(),
            AdaptedLayer.lowRank(
                target, scale * reaching.length, directions(whole, reaching, first, out)));
      }
    }
    return own;
  }

  private java.util.function.IntUnaryOperator block(AdaptedLayer.LowRank whole, int layer) {
    return k -> layer * (whole.rank() / layers.size()) + k;
  }

  /** Whether each layer has as many directions as the others, and they reach no other. */
  private boolean inBlocks(AdaptedLayer.LowRank whole) {
    int n = layers.size();
    return whole.rank() % n == 0
        && IntStream.range(0, whole.rank())
            .allMatch(
                k ->
                    IntStream.range(0, n)
                        .allMatch(
                            i ->
                                i == k / (whole.rank() / n)
                                    || !reaches(whole, k, start(i), rows(i))));
  }

  private static boolean reaches(AdaptedLayer.LowRank whole, int direction, int first, int out) {
    return IntStream.range(first, first + out)
        .anyMatch(o -> whole.b()[o * whole.rank() + direction] != 0);
  }

  private static AdaptedLayer.LowRank directions(
      AdaptedLayer.LowRank whole, int[] which, int first, int out) {
    int in = whole.a().length / whole.rank();
    float[] a = new float[which.length * in];
    float[] b = new float[out * which.length];
    for (int k = 0; k < which.length; k++) {
      System.arraycopy(whole.a(), which[k] * in, a, k * in, in);
      for (int o = 0; o < out; o++) {
        b[o * which.length + k] = whole.b()[(first + o) * whole.rank() + which[k]];
      }
    }
    return new AdaptedLayer.LowRank(which.length, a, b);
  }
}
