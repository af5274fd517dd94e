package org.loranative.train;

import java.util.ArrayList;
import java.util.List;

/**
 * Which micro-batches each optimizer step takes: a function of the step, so a resumed run needs no
 * other position in the data.
 *
 * @param <B> a micro-batch
 */
final class Steps<B> {
  private final Task<B> task;
  private final int accumulation;

  /** Index of each epoch's first step, 0-based; epochs may differ by a step when packing. */
  private final List<Integer> epochStart = new ArrayList<>();

  private final int total;
  private int largestShape;
  private int cachedEpoch = -1;
  private List<B> cached = List.of();

  /**
   * @param accumulation micro-batches of a step; an epoch's last step may have fewer
   * @param maxSteps if not 0, the run's length, whatever the epochs
   */
  Steps(Task<B> task, int accumulation, int epochs, int maxSteps) {
    this.task = task;
    this.accumulation = accumulation;
    int steps = 0;
    for (int e = 0; maxSteps > 0 ? steps < maxSteps : e < epochs; e++) {
      epochStart.add(steps);
      List<B> batches = task.epoch(e);
      batches.forEach(b -> largestShape = Math.max(largestShape, task.shape(b)));
      steps += (batches.size() + accumulation - 1) / accumulation;
    }
    total = maxSteps > 0 ? maxSteps : steps;
  }

  int total() {
    return total;
  }

  /** The largest shape key of the run. */
  int largestShape() {
    return largestShape;
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
