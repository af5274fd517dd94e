package org.loranative.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.graph.Addresses;
import org.loranative.graph.Plan;
import org.loranative.model.Placement;

/** The plans of a run, joined to the arena that they take turns in. */
public final class PlanStore implements AutoCloseable {
  /** A plan joined to memory. */
  record Bound(Plan plan, Addresses at) {}

  private final Placement placement;
  private final Memory arena;
  private final Map<BatchShape, Bound> training;
  private final Map<BatchShape, Bound> evaluation;
  private final Bound update;

  public PlanStore(RunPlans plans, Device device, Placement placement) {
    this.placement = placement;
    arena = device.allocate(plans.arenaBytes());
    training = bind(plans.training());
    evaluation = bind(plans.evaluation());
    update = bind(plans.update());
  }

  private Map<BatchShape, Bound> bind(Map<BatchShape, Plan> plans) {
    Map<BatchShape, Bound> bound = new LinkedHashMap<>();
    plans.forEach((shape, plan) -> bound.put(shape, bind(plan)));
    return bound;
  }

  private Bound bind(Plan plan) {
    return new Bound(plan, plan.bind(arena, placement::address));
  }

  public Memory arena() {
    return arena;
  }

  /** Forward and backward of a batch, by shape. */
  Map<BatchShape, Bound> training() {
    return Collections.unmodifiableMap(training);
  }

  /** The loss of a measured batch, by shape. */
  Map<BatchShape, Bound> evaluation() {
    return Collections.unmodifiableMap(evaluation);
  }

  /** An optimizer step. */
  Bound update() {
    return update;
  }

  /** See {@link Placement#requireWhole}. */
  void requireWhole() {
    placement.requireWhole();
  }

  @Override
  public void close() {
    arena.close();
  }
}
