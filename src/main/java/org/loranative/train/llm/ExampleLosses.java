package org.loranative.train.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.loranative.UserException;
import org.loranative.data.llm.Batches;
import org.loranative.data.llm.Example;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.ops.Loss;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.loranative.track.Phase;

/**
 * The losses of single examples, by the graph that measures them in training, so that no logits
 * leave the device. Short examples share rows; rows of one length are run one after the other, so
 * that each length is planned once and one plan's memory is held at a time.
 */
final class ExampleLosses {
  /** Tokens of a row, but for longer examples, which have one each. */
  private static final int ROW = 512;

  private static final int FEWEST = 32;

  private final Device device;
  private final LlmBase base;
  private final Adapters adapters;
  private final DType compute;
  private final Placement placement;

  ExampleLosses(
      Device device, LlmBase base, Adapters adapters, DType compute, Placement placement) {
    this.device = device;
    this.base = base;
    this.adapters = adapters;
    this.compute = compute;
    this.placement = placement;
  }

  /** Sums over the labels of each, in nats. */
  double[] of(List<Example> examples) {
    PackedRow.requireIds(base, examples);
    int longest = examples.stream().mapToInt(Example::length).max().orElse(1);
    NavigableMap<Integer, List<List<Integer>>> rows = new TreeMap<>();
    for (List<Integer> row : pack(examples)) {
      rows.computeIfAbsent(length(Batches.tokens(at(examples, row))), n -> new ArrayList<>())
          .add(row);
    }
    double[] losses = new double[examples.size()];
    String with = adapters.modules().isEmpty() ? "" : " with the adapter";
    Phase phase = new Phase("examples measured" + with, examples.size());
    for (Map.Entry<Integer, List<List<Integer>>> alike : rows.entrySet()) {
      int tokens = alike.getKey();
      Graph graph =
          LlmGraph.evaluation(base, adapters, compute, new SupervisedObjective(), tokens, longest);
      try (Session session = new Session(device, graph, placement, Optional.empty())) {
        for (List<Integer> row : alike.getValue()) {
          row.forEach(i -> phase.next());
          List<Example> these = at(examples, row);
          float[] each = session.run(PackedRow.of(these, tokens, longest).inputs()).get(Loss.EACH);
          int from = 0;
          for (int i : row) {
            losses[i] = sum(examples.get(i), each, from);
            from += examples.get(i).length();
          }
        }
      }
    }
    phase.end();
    return losses;
  }

  private static double sum(Example example, float[] each, int from) {
    double sum = 0;
    for (int t = from; t < from + example.length(); t++) {
      sum += each[t];
    }
    if (!Double.isFinite(sum)) {
      throw new UserException(
          "The model's loss on "
              + example.source()
              + " is no finite number; its weights are damaged, or need --compute-dtype f32.");
    }
    return sum;
  }

  private static List<Example> at(List<Example> examples, List<Integer> places) {
    return places.stream().map(examples::get).toList();
  }

  /** Places of examples that share a row, in their order. */
  private static List<List<Integer>> pack(List<Example> examples) {
    List<List<Integer>> rows = new ArrayList<>();
    int used = ROW;
    for (int i = 0; i < examples.size(); i++) {
      int length = examples.get(i).length();
      if (rows.isEmpty() || used + length > ROW) {
        rows.add(new ArrayList<>());
        used = 0;
      }
      rows.get(rows.size() - 1).add(i);
      used += length;
    }
    return rows;
  }

  /** Rounded up, so that there are few lengths: by an eighth of the power of two below it. */
  private static int length(int tokens) {
    int step = Math.max(FEWEST, Integer.highestOneBit(tokens) / 8);
    return (tokens + step - 1) / step * step;
  }
}
