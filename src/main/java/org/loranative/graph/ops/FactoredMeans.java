package org.loranative.graph.ops;

import org.loranative.graph.Value;

/**
 * A running mean of positive matrices, kept as that of their rows and of their columns (Shazeer and
 * Stern 2018): the product of these two, over the mean of all, stands for it.
 *
 * @param row means of all matrices' rows, f32; likewise column
 */
public record FactoredMeans(Value row, Value column) {}
