/**
 * Define, plan, run. A {@link org.loranative.graph.Graph} is a list of ops over values; {@link
 * org.loranative.graph.Autodiff} appends the backward ops, {@link org.loranative.graph.Recompute}
 * trades arithmetic for memory, {@link org.loranative.graph.Planner} gives each value its place in
 * one arena, and the resulting {@link org.loranative.graph.Plan} runs without allocating.
 */
package org.loranative.graph;
