package org.loranative.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Recompute;
import org.loranative.graph.Recompute.Mode;
import org.loranative.graph.Value;
import org.loranative.lora.AdapterState;
import org.loranative.lora.AdapterState.Moments;
import org.loranative.lora.Adapters;
import org.loranative.model.Weights;

/**
 * All memory of a run, known before its first step, and what is recomputed to fit a budget.
 *
 * @param weightsAllocated frozen weights converted into memory of ours
 * @param weightsMapped frozen weights used where the mapped file has them
 * @param adapters of A and B; gradients and the optimizer's moments likewise
 * @param activations the arena of the largest plan without its workspace
 * @param workspace scratch that ops share
 * @param batches staging of the batches to come
 * @param generation what previews allocate, 0 without
 * @param recompute what each block computes again
 * @param largest the plan of the largest batch
 */
public record MemoryPlan(
    long weightsAllocated,
    long weightsMapped,
    long adapters,
    long gradients,
    long optimizer,
    long activations,
    long workspace,
    long batches,
    long generation,
    Map<String, Mode> recompute,
    Plan largest) {

  /** Bytes of the arena. */
  public long arena() {
    return activations + workspace;
  }

  public long total() {
    return weightsAllocated
        + weightsMapped
        + adapters
        + gradients
        + optimizer
        + arena()
        + batches
        + generation;
  }

  /**
   * Plans a run; recomputes as little as fits {@code budget}.
   *
   * @param needed every weight that is loaded
   * @param full the training graph of the largest shape
   * @param evaluationShape the largest of validation, 0 for none
   * @throws TooLargeException if nothing fits, saying what would
   */
  static <B> MemoryPlan choose(
      Kind<B> kind,
      Device device,
      Map<String, Value> needed,
      Graph full,
      int evaluationShape,
      long budget,
      String budgetName) {
    Task<B> task = kind.task();
    long evaluation =
        evaluationShape == 0
            ? 0
            : Planner.plan(task.evaluationGraph(evaluationShape), device).arenaBytes();
    List<String> blocks = Recompute.blocks(full);
    int low = 0;
    int high = 2 * blocks.size();
    MemoryPlan most = at(high, full, blocks, kind, device, needed, evaluation);
    if (most.total() > budget) {
      throw tooLarge(task, most, budget, budgetName);
    }
    MemoryPlan fits = most;
    while (low < high) {
      int middle = (low + high) / 2;
      MemoryPlan plan = at(middle, full, blocks, kind, device, needed, evaluation);
      if (plan.total() <= budget) {
        fits = plan;
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return fits;
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

  private static MemoryPlan at(
      int level,
      Graph full,
      List<String> blocks,
      Kind<?> kind,
      Device device,
      Map<String, Value> needed,
      long evaluation) {
    Weights weights = kind.weights();
    Adapters adapters = kind.adapters();
    Map<String, Mode> modes = modes(level, blocks);
    Plan plan = Planner.plan(modes.isEmpty() ? full : Recompute.apply(full, modes), device);
    long floats = adapters.floats() * 4;
    long adapterBytes = AdapterState.bytes(adapters, Moments.NONE);
    long arena = Math.max(plan.arenaBytes(), evaluation);
    return new MemoryPlan(
        weights.bytesToAllocate(needed, device),
        weights.bytesMapped(needed, device),
        adapterBytes,
        floats,
        AdapterState.bytes(adapters, kind.moments()) - adapterBytes - floats,
        arena - plan.scratchBytes(),
        plan.scratchBytes(),
        BatchFeed.bytes(full),
        kind.previewBytes(),
        modes,
        plan);
  }

  private static <B> TooLargeException tooLarge(
      Task<B> task, MemoryPlan most, long budget, String budgetName) {
    long fixed = most.total() - most.activations();
    String advice;
    if (fixed >= budget) {
      advice =
          "Even without activations it needs "
              + size(fixed)
              + "; use quantize: nf4, compute_dtype: bf16, a smaller base model or a lower lora_rank";
    } else {
      double share = (double) (budget - fixed) / most.activations() * 0.95;
      advice = "It would fit with " + task.smallerBatch(share);
    }
    List<String> largest = new ArrayList<>();
    for (Value v :
        most.largest().atPeak().subList(0, Math.min(3, most.largest().atPeak().size()))) {
      largest.add(v.name() + " " + v.shape() + " " + size(v.bytes()));
    }
    return new TooLargeException(
        String.format(
            "The run needs %s even when everything is recomputed, but %s is %s. %s. Largest at the"
                + " peak: %s.",
            size(most.total()), budgetName, size(budget), advice, String.join("; ", largest)));
  }

  /** The table that {@code plan} prints. */
  public String table() {
    StringBuilder text = new StringBuilder();
    row(text, "weights, allocated", weightsAllocated);
    row(text, "weights, mapped file", weightsMapped);
    row(text, "adapters", adapters);
    row(text, "gradients", gradients);
    row(text, "optimizer", optimizer);
    row(text, "activations", activations);
    row(text, "workspace", workspace);
    row(text, "batches", batches);
    if (generation > 0) {
      row(text, "previews", generation);
    }
    row(text, "total", total());
    long everything = recompute.values().stream().filter(m -> m == Mode.EVERYTHING).count();
    long cheap = recompute.size() - everything;
    int blocks = Recompute.blocks(largest.graph()).size();
    text.append(
        recompute.isEmpty()
            ? String.format("recompute: nothing%n")
            : String.format(
                "recompute: %d of %d blocks whole, cheap ops of %d%n", everything, blocks, cheap));
    text.append(String.format("largest values at the peak:%n"));
    for (Value v : largest.atPeak().subList(0, Math.min(5, largest.atPeak().size()))) {
      text.append(String.format("  %-44s %12s%n", v.name() + " " + v.shape(), size(v.bytes())));
    }
    return text.toString();
  }

  private static void row(StringBuilder text, String name, long bytes) {
    text.append(String.format("%-24s %16d  %10s%n", name, bytes, size(bytes)));
  }

  /** Bytes for people. */
  static String size(long bytes) {
    return bytes >= 1_000_000_000
        ? String.format("%.2f GB", bytes / 1e9)
        : String.format("%.1f MB", bytes / 1e6);
  }
}
