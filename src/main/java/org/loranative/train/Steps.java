package org.loranative.train;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which micro-batches each optimizer step takes: a function of the step, so a resumed run needs no
 * other position in the data.
 *
 * @param <B> a micro-batch
 */
public final class Steps<B> {
  private final Task<B> task;
  private final int accumulation;

  /** Index of each epoch's first step, 0-based; epochs may differ by a step when packing. */
  private final List<Integer> epochStart = new ArrayList<>();

  private final int total;
  private final Map<BatchShape, B> shapes = new LinkedHashMap<>();
  private int cachedEpoch = -1;
  private List<B> cached = List.of();

  /**
   * @param accumulation micro-batches of a step; an epoch's last step may have fewer
   * @param maxSteps if not 0, the run's length, whatever the epochs
   */
  public Steps(Task<B> task, int accumulation, int epochs, int maxSteps) {
    this.task = task;
    this.accumulation = accumulation;
    int steps = 0;
    for (int e = 0; maxSteps > 0 ? steps < maxSteps : e < epochs; e++) {
      epochStart.add(steps);
      List<B> batches = task.epoch(e);
      int own = (batches.size() + accumulation - 1) / accumulation;
      int taken = maxSteps > 0 ? Math.min(own, maxSteps - steps) : own;
      batches.stream()
          .limit((long) taken * accumulation)
          .forEach(b -> shapes.putIfAbsent(task.shape(b), b));
      steps += own;
    }
    total = maxSteps > 0 ? maxSteps : steps;
  }

  public int total() {
    return total;
  }

  /** Every shape that the run's micro-batches have, with the first batch of it. */
  Map<BatchShape, B> shapes() {
    return Collections.unmodifiableMap(shapes);
  }

  /** The micro-batches of a step, 1 for the first. */
  List<B> batches(int step) {
    int epoch = epochStart.size() - 1;
    while (epochStart.get(epoch) > step - 1) {
      epoch--;
    }
    if (epoch != cachedEpoch) {
      cached = task.epoch(epoch);
      cachedEpoch = epoch;
    }
    int from = (step - 1 - epochStart.get(epoch)) * accumulation;
    return cached.subList(from, Math.min(from + accumulation, cached.size()));
  }
}
