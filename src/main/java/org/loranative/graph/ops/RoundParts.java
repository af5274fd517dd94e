package org.loranative.graph.ops;

import org.loranative.device.Device;
import org.loranative.device.LoraOps;
import org.loranative.graph.Addresses;
import org.loranative.graph.Graph;
import org.loranative.graph.Op;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * {@link RoundPadded} of many matrices of a flat buffer, in one launch.
 *
 * @param x [n] f32
 * @param parts [count · 6] i32, see {@link #row}
 * @param y copies of the matrices, kept between runs
 */
public record RoundParts(Value x, Value parts, Value y) implements Op.Backward {
  /** Numbers of a row of {@code parts}. */
  public static final int ROW = 6;

  /** A matrix begins at a multiple of so many numbers of x. */
  public static final int FROM = 16;

  /** Its copy at a multiple of so many of y. */
  public static final int TO = 32;

  public static void of(Graph g, Value x, Value parts, Value y) {
    g.add(new RoundParts(x, parts, y));
  }

  /**
   * What the op knows of a matrix.
   *
   * @param from where it begins in x
   * @param to where its copy begins in y
   */
  public static int[] row(long from, long to, RoundPadded.Sizes s) {
    assert from % FROM == 0 && to % TO == 0;
    return new int[] {
      Math.toIntExact(from / FROM),
      Math.toIntExact(to / TO),
      Math.toIntExact(s.rows()),
      Math.toIntExact(s.columns()),
      Math.toIntExact(s.paddedRows()),
      Math.toIntExact(s.paddedColumns())
    };
  }

  @Override
  public void run(Device d, Addresses at) {
    run(d, at.of(x), at.of(parts), at.of(y), parts.shape().size() / ROW, y.dtype());
  }

  /** Runs it outside of a graph, on addresses. */
  public static void run(Device d, long x, long parts, long y, long count, DType dtype) {
    d.check(LoraOps.ln_round_parts_fwd(d.handle(), x, parts, y, count, dtype.code));
  }
}
