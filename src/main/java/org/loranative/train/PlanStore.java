package org.loranative.train;

import java.util.HashMap;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.Recompute;
import org.loranative.graph.ops.AdamW;
import org.loranative.lora.AdapterState;
import org.loranative.model.Placement;

/** The plans of a run, made when a shape is first met, all in one arena. */
final class PlanStore implements AutoCloseable {
  /** A plan joined to memory. */
  record Bound(Plan plan, Addresses at, int shape) {}

  private final Task<?> task;
  private final MemoryPlan memoryPlan;
  private final int largestShape;
  private final Device device;
  private final Placement placement;
  private final Memory arena;
  private final Map<Integer, Bound> training = new HashMap<>();
  private final Map<Integer, Bound> evaluation = new HashMap<>();

  PlanStore(
      Task<?> task, MemoryPlan memoryPlan, int largestShape, Device device, Placement placement) {
    this.task = task;
    this.memoryPlan = memoryPlan;
    this.largestShape = largestShape;
    this.device = device;
    this.placement = placement;
    this.arena = device.allocate(memoryPlan.arena());
  }

  long arena() {
    return arena.address();
  }

  /** The micro plan for a shape. */
  Bound training(int shape) {
    return training.computeIfAbsent(
        shape,
        s ->
            s == largestShape
                ? bind(memoryPlan.largest(), s)
                : bindOrLarger(Recompute.apply(task.trainingGraph(s), memoryPlan.recompute()), s));
  }

  /** The evaluation plan for a shape. */
  Bound evaluation(int shape) {
    return evaluation.computeIfAbsent(shape, s -> bindOrLarger(task.evaluationGraph(s), s));
  }

  /**
   * A smaller batch can need more than the largest only by fragmentation; then that plan serves.
   */
  private Bound bindOrLarger(Graph graph, int shape) {
    Plan plan = Planner.plan(graph, device);
    return plan.arenaBytes() <= memoryPlan.arena()
        ? bind(plan, shape)
        : bind(memoryPlan.largest(), largestShape);
  }

  private Bound bind(Plan plan, int shape) {
    return new Bound(plan, plan.bind(arena.address(), placement::address), shape);
  }

  /** The plan of an optimizer step: norm, clip, AdamW. */
  Bound update(AdapterState state, AdamW.Setting setting, double maxGradNorm) {
    return bind(Planner.plan(state.update(setting, (float) maxGradNorm), device), 0);
  }

  @Override
  public void close() {
    arena.close();
  }
}
