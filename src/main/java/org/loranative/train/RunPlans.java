package org.loranative.train;

import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.loranative.graph.Plan;

/**
 * The plans of {@link RunGraphs}, which take turns in one arena.
 *
 * @param besideBytes of the largest plan that runs beside training: of previews, of what is
 *     measured of the base
 */
record RunPlans(
    Map<BatchShape, Plan> training,
    Map<BatchShape, Plan> evaluation,
    Plan update,
    long besideBytes) {

  /** Bytes of an arena that holds any of them. */
  long arenaBytes() {
    return LongStream.concat(
            Stream.of(training.values().stream(), evaluation.values().stream(), Stream.of(update))
                .flatMap(plans -> plans)
                .mapToLong(Plan::arenaBytes),
            LongStream.of(besideBytes))
        .max()
        .orElseThrow();
  }
}
