package org.loranative.train;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Recompute;
import org.loranative.graph.Recompute.Mode;
import org.loranative.graph.Value;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Slot;
import org.loranative.model.weights.Weights;
import org.loranative.track.Phase;

/**
 * All memory of a run, known before its first step, and what is recomputed to fit a budget.
 *
 * @param held what lasts as long as the run
 * @param plans that take turns in the arena
 * @param largest the training plan that needs most
 * @param preparation what encoding takes before, and has given back when training begins
 */
public record MemoryPlan(Held held, RunPlans plans, Largest largest, long preparation) {
  /**
   * Bytes that last as long as the run, beside the arena.
   *
   * @param weightsAllocated frozen weights converted into memory of ours
   * @param weightsMapped frozen weights used where the mapped file has them
   * @param adapters of their parts and the copies in 16 bits; gradients and the optimizer's slots
   *     likewise
   * @param batches staging of the batches to come
   * @param previews what previews hold between steps, 0 without
   */
  record Held(
      long weightsAllocated,
      long weightsMapped,
      long adapters,
      long gradients,
      long optimizer,
      long batches,
      long previews) {

    static Held of(Training<?> kind, List<Slot> slots, Device device, RunGraphs graphs) {
      Weights weights = kind.weights();
      Map<String, Value> needed = Weights.of(graphs.all());
      Adapters adapters = kind.adapters();
      long floats = adapters.floats() * 4;
      long adapterBytes = AdapterState.bytes(adapters, graphs.compute());
      return new Held(
          weights.bytesToAllocate(needed, device),
          weights.bytesMapped(needed, device),
          adapterBytes,
          floats,
          AdapterState.bytes(adapters, graphs.compute(), slots) - adapterBytes - floats,
          BatchFeed.Sizes.of(graphs).total(),
          kind.previewBytes());
    }

    long total() {
      return weightsAllocated
          + weightsMapped
          + adapters
          + gradients
          + optimizer
          + batches
          + previews;
    }
  }

  /**
   * A training plan.
   *
   * @param recompute what each block computes again
   * @param sharing blocks that dequantize matrices once for that and for backward
   */
  public record Largest(BatchShape shape, Plan plan, Map<String, Mode> recompute, int sharing) {}

  /** Bytes of the arena. */
  public long arena() {
    return plans.arenaBytes();
  }

  /** Bytes at the worst moment. */
  public long total() {
    return Math.max(preparation, training());
  }

  private long training() {
    return held.total() + arena();
  }

  /**
   * Plans a run; each shape recomputes as little as fits {@code budget}.
   *
   * @param slots of the optimizer
   * @param budgetName for messages
   * @throws TooLargeException if nothing fits, saying what would
   */
  public static MemoryPlan choose(
      Training<?> kind,
      List<Slot> slots,
      Device device,
      RunGraphs graphs,
      long budget,
      String budgetName) {
    Held held = Held.of(kind, slots, device, graphs);
    long room = budget - held.total();
    Map<BatchShape, Plan> training = new LinkedHashMap<>();
    Largest largest = null;
    long most = -1;
    Phase phase = new Phase("shapes of batches planned", graphs.training().size());
    for (Map.Entry<BatchShape, Graph> e : graphs.training().entrySet()) {
      phase.next();
      Plan plain = Planner.plan(e.getValue(), device);
      Largest fitted =
          plain.arenaBytes() <= room
              ? new Largest(e.getKey(), plain, Map.of(), 0)
              : recomputed(e.getKey(), e.getValue(), device, room);
      training.put(e.getKey(), fitted.plan());
      if (plain.arenaBytes() > most) {
        most = plain.arenaBytes();
        largest = fitted;
      }
    }
    phase.end();
    Map<BatchShape, Plan> evaluation = new LinkedHashMap<>();
    graphs.evaluation().forEach((shape, g) -> evaluation.put(shape, Planner.plan(g, device)));
    List<Plan> previews = graphs.previews().stream().map(g -> Planner.plan(g, device)).toList();
    RunPlans plans =
        new RunPlans(
            training,
            evaluation,
            Planner.plan(graphs.update(), device),
            Stream.concat(previews.stream(), Stream.of(Planner.plan(graphs.weightNorms(), device)))
                .mapToLong(Plan::arenaBytes)
                .max()
                .orElseThrow());
    MemoryPlan plan = new MemoryPlan(held, plans, largest, kind.preparationBytes());
    if (plan.arena() > room) {
      throw tooLarge(kind.task(), plan, previews, budget, budgetName);
    }
    if (plan.preparation() > budget) {
      throw new TooLargeException(
          String.format(
              "Encoding the images before the first step needs %s, but %s is %s. Use a lower"
                  + " resolution, or encode them on a larger machine (lora-native data) and bring"
                  + " cache_dir along.",
              size(plan.preparation()), budgetName, size(budget)));
    }
    return plan;
  }

  /** The plan that recomputes least of those that fit {@code room}; that of all if none does. */
  private static Largest recomputed(BatchShape shape, Graph full, Device device, long room) {
    List<String> blocks = Recompute.blocks(full);
    int low = 1;
    int high = 2 * blocks.size();
    Largest fits = at(high, shape, full, blocks, device);
    while (low < high && fits.plan().arenaBytes() <= room) {
      int middle = (low + high) / 2;
      Largest tried = at(middle, shape, full, blocks, device);
      if (tried.plan().arenaBytes() <= room) {
        fits = tried;
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    Graph recomputed = Recompute.apply(full, fits.recompute());
    SharedMatrices shared = SharedMatrices.within(room, recomputed, fits.plan(), device);
    return new Largest(shape, shared.plan(), fits.recompute(), shared.blocks());
  }

  private static Largest at(
      int level, BatchShape shape, Graph full, List<String> blocks, Device device) {
    Map<String, Mode> modes = modes(level, blocks);
    return new Largest(shape, Planner.plan(Recompute.apply(full, modes), device), modes, 0);
  }

  /**
   * Level 0 keeps everything; up to the number of blocks, that many recompute their cheap ops;
   * beyond, that many recompute everything and the others their cheap ops.
   */
  private static Map<String, Mode> modes(int level, List<String> blocks) {
    Map<String, Mode> modes = new LinkedHashMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      if (level > blocks.size() + i) {
        modes.put(blocks.get(i), Mode.EVERYTHING);
      } else if (level > i) {
        modes.put(blocks.get(i), Mode.CHEAP_OPS);
      }
    }
    return modes;
  }

  private static TooLargeException tooLarge(
      Task<?> task, MemoryPlan plan, List<Plan> previews, long budget, String budgetName) {
    long room = budget - plan.held().total();
    long batch = batchBytes(plan.plans());
    String advice;
    if (room <= 0) {
      advice =
          "Even without activations it needs "
              + size(plan.held().total())
              + "; use quantize: nf4, compute_dtype: bf16, a smaller base model or a lower lora_rank";
    } else if (batch <= room) {
      advice =
          "Only its previews are too large: they would need "
              + size(plan.plans().besideBytes())
              + " beside "
              + size(plan.held().total())
              + " that is held. It would fit with sample_steps: 0, or smaller previews";
    } else {
      advice = "It would fit with " + task.smallerBatch((double) room / batch * 0.95);
    }
    Plan peak =
        Stream.of(plan.plans().training().values(), plan.plans().evaluation().values(), previews)
            .flatMap(Collection::stream)
            .max(Comparator.comparingLong(Plan::arenaBytes))
            .orElseThrow();
    return new TooLargeException(
        String.format(
            "The run needs %s even when everything is recomputed, but %s is %s. %s. Largest at the"
                + " peak: %s.",
            size(plan.training()),
            budgetName,
            size(budget),
            advice,
            peak.atPeak().stream()
                .limit(3)
                .map(v -> v.name() + " " + v.shape() + " " + size(v.bytes()))
                .collect(Collectors.joining("; "))));
  }

  /** Of the plan of a batch that needs most. */
  private static long batchBytes(RunPlans plans) {
    return Stream.of(plans.training().values(), plans.evaluation().values())
        .flatMap(Collection::stream)
        .mapToLong(Plan::arenaBytes)
        .max()
        .orElseThrow();
  }

  /** The table that {@code plan} prints. */
  public String table() {
    StringBuilder text = new StringBuilder();
    row(text, "weights, allocated", held.weightsAllocated());
    row(text, "weights, mapped file", held.weightsMapped());
    row(text, "adapters", held.adapters());
    row(text, "gradients", held.gradients());
    row(text, "optimizer", held.optimizer());
    row(text, "activations", arena() - largest.plan().scratchBytes());
    row(text, "workspace", largest.plan().scratchBytes());
    row(text, "batches", held.batches());
    if (held.previews() > 0) {
      row(text, "previews", held.previews());
    }
    if (preparation > 0) {
      row(text, "encoding, before that", preparation);
    }
    row(text, "total", total());
    text.append(recomputed());
    text.append(String.format("largest values at the peak:%n"));
    for (Value v : largest.plan().atPeak().stream().limit(5).toList()) {
      text.append(String.format("  %-44s %12s%n", v.name() + " " + v.shape(), size(v.bytes())));
    }
    return text.toString();
  }

  private String recomputed() {
    Map<String, Mode> modes = largest.recompute();
    if (modes.isEmpty()) {
      return String.format("recompute: nothing%n");
    }
    long everything = modes.values().stream().filter(m -> m == Mode.EVERYTHING).count();
    String text =
        String.format(
            "recompute: %d of %d blocks whole, cheap ops of %d%n",
            everything, Recompute.blocks(largest.plan().graph()).size(), modes.size() - everything);
    int sharing = largest.sharing();
    return sharing == 0
        ? text
        : text
            + String.format(
                "dequantized once for recompute and backward: matrices of %d blocks%n", sharing);
  }

  private static void row(StringBuilder text, String name, long bytes) {
    text.append(String.format("%-24s %16d  %10s%n", name, bytes, size(bytes)));
  }

  /** Bytes for people. */
  public static String size(long bytes) {
    return bytes >= 1_000_000_000
        ? String.format("%.2f GB", bytes / 1e9)
        : String.format("%.1f MB", bytes / 1e6);
  }
}
