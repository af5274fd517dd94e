package org.loranative.train;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Plan;
import org.loranative.graph.Planner;
import org.loranative.graph.ops.SharedWeights;

/**
 * How many of the recomputed blocks dequantize their frozen matrices once for the repeated products
 * and for backward: as many as there is memory for, and none is recomputed to make room.
 *
 * <p>Blocks that are recomputed as a whole are the first, so backward comes to them last, when what
 * the others kept is given back already: there mostly is room for all. More could be bought only by
 * recomputing further blocks, which costs more than it saves. What a block of Llama 3 8B shares
 * takes 302 MB, which recomputing one more block gives back for 3500 rows, whatever the batch; that
 * runs 0.73 of its products again, 2550 rows of all. Sharing saves 2.2 bytes a number where a
 * card's cache holds little of a panel, 83 rows on an RTX 3090 (38 a byte: 71 TFLOP/s, 936 GB/s),
 * of 0.69 of the matrices: 1830 rows even where all 32 blocks share.
 *
 * @param plan that shares them
 * @param blocks how many do
 */
record SharedMatrices(Plan plan, int blocks) {
  /**
   * Of as many blocks as fit.
   *
   * @param recomputed what recomputes as little as fits
   * @param plain its plan
   */
  static SharedMatrices within(long room, Graph recomputed, Plan plain, Device device) {
    SharedMatrices best = new SharedMatrices(plain, 0);
    List<String> blocks = SharedWeights.blocks(recomputed, device);
    int low = 1;
    int high = plain.arenaBytes() <= room ? blocks.size() : 0;
    while (low <= high) {
      int count = (low + high + 1) / 2;
      Set<String> first = new HashSet<>(blocks.subList(0, count));
      Plan plan = Planner.plan(SharedWeights.apply(recomputed, first, device), device);
      if (plan.arenaBytes() <= room) {
        best = new SharedMatrices(plan, count);
        low = count + 1;
      } else {
        high = count - 1;
      }
    }
    return best;
  }
}
