package org.loranative.graph.ops;

/**
 * The stretch of an optimizer's flat buffers that one launch steps over.
 *
 * @param from in floats
 * @param rate of learning, relative to the step's
 */
public record ParameterRange(long from, long size, float rate) {
  /** Ranges start at multiples of it, so that numbers which share a scale learn at one rate. */
  public static final int ALIGNMENT = 256;
}
