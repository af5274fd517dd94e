package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;
import org.loranative.graph.ops.DeltaRule;
import org.loranative.lora.Adapters;
import org.loranative.model.Family;
import org.loranative.model.weights.Formula;
import org.loranative.model.weights.Order;

/** What a GGUF of a language model calls its tensors, and what of them it has otherwise. */
public final class GgufNames {
  private final LlmConfig config;
  private final boolean split;
  private final GgufOrder order;

  /**
   * @param split whether {@link SplitProjection}s are two tensors
   */
  GgufNames(LlmConfig config, boolean split) {
    this.config = config;
    this.split = split;
    this.order = new GgufOrder(config);
  }

  /** {@code general.architecture}. */
  public String architecture() {
    return config.family().ggufArchitectures().get(0);
  }

  /** GGUF's name of a tensor by ours. */
  public String of(String name) {
    String plain =
        name.startsWith(config.prefix())
            ? FolderNames.PLAIN + name.substring(config.prefix().length())
            : name;
    return config.family().ggufName(plain);
  }

  /**
   * In which order it has a tensor's rows.
   *
   * @param out how many they are
   */
  public Order rows(String name, long out) {
    return order.rows(name, out);
  }

  /** In which order it has a tensor's columns, or the numbers of a vector. */
  public Order columns(String name) {
    return order.columns(name);
  }

  /** What a tensor's numbers are by GGUF's, but for what norms are counted from. */
  public Formula formula(String name) {
    return order.formula(name);
  }

  /**
   * A matrix of a GGUF that is a layer, or a part of one.
   *
   * @param ours which of the layer's rows each of its rows is
   */
  public record Part(String name, long rows, LongUnaryOperator ours) {}

  /** Whether a GGUF may have a layer in other tensors than a folder. */
  public static boolean isRegrouped(Adapters.Target layer) {
    return layer.experts() > 0 || layer.path().endsWith(SplitProjection.TOGETHER);
  }

  /** Whether a tensor, by our name, is such a layer's, or a part of it. */
  public static boolean isOf(Adapters.Target layer, String name) {
    return Stream.of(".weight", ".bias")
        .anyMatch(
            kind ->
                name.equals(layer.path() + kind)
                    || Halves.of(layer.path(), layer.out(), false).stream()
                        .anyMatch(half -> name.equals(half.path() + kind)));
  }

  /**
   * What a GGUF has of a layer.
   *
   * @param kind of its tensors: {@code .weight} or {@code .bias}
   */
  public List<Part> parts(Adapters.Target layer, String kind) {
    if (layer.path().endsWith(SplitProjection.TOGETHER) && split) {
      return projections(layer.path());
    }
    Family family = config.family();
    boolean apart =
        layer.experts() > 0 && !family.ggufNames().containsKey(BesideMixture.NAMES.gateUp());
    if (apart) {
      return Halves.of(layer.path(), layer.out(), family.clampedExperts()).stream()
          .map(h -> new Part(of(h.path() + kind), h.rows(), h.ours()))
          .toList();
    }
    String name = layer.path() + kind;
    return List.of(new Part(of(name), layer.out(), rows(name, layer.out())::ours));
  }

  private List<Part> projections(String path) {
    DeltaRule.Heads heads = config.delta(path).heads();
    SplitProjection projection = new SplitProjection(heads);
    String layer = path.substring(0, path.length() - SplitProjection.TOGETHER.length());
    List<Part> parts = new ArrayList<>();
    for (String part : SplitProjection.PARTS) {
      long[] rows = projection.folderRows(part);
      parts.add(new Part(of(layer + part + ".weight"), rows.length, row -> rows[(int) row]));
    }
    return parts;
  }
}
