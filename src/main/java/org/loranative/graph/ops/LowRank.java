package org.loranative.graph.ops;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.Graph;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * The matrices of a low-rank adapter, as they are trained and as products read them: in 16 bits
 * from copies whose rank is filled up with zeros to whole chunks of 8.
 *
 * @param a [rank, in] f32, of a mixture's experts [E, rank, in]
 * @param b [out, rank] f32, of a mixture's experts [E, out, rank]
 * @param readA a itself if products are in f32
 * @param readB likewise
 */
public record LowRank(Value a, Value b, Value readA, Value readB) {
  /** Where the rank stands among the axes of a matrix, from behind. */
  public enum RankAxis {
    OF_A(2),
    OF_B(1);

    private final int fromBehind;

    RankAxis(int fromBehind) {
      this.fromBehind = fromBehind;
    }
  }

  public LowRank {
    int axes = a.shape().dims().size();
    Values.require(
        axes == b.shape().dims().size()
            && a.shape().dim(axes - 2) == b.shape().last()
            && isRead(a, readA, RankAxis.OF_A)
            && isRead(b, readB, RankAxis.OF_B)
            && readA.dtype() == readB.dtype(),
        "low_rank",
        a,
        b,
        readA,
        readB);
  }

  private static boolean isRead(Value trained, Value read, RankAxis rank) {
    return trained.equals(read)
        || read.dtype() != DType.F32
            && read.shape().equals(filledUp(trained.shape(), rank, read.dtype()));
  }

  /** An adapter of which nobody keeps copies: the graph makes those that it reads. */
  public static LowRank of(Graph g, Value a, Value b, DType dtype) {
    return new LowRank(a, b, read(g, a, RankAxis.OF_A, dtype), read(g, b, RankAxis.OF_B, dtype));
  }

  private static Value read(Graph g, Value trained, RankAxis rank, DType dtype) {
    return dtype == DType.F32
        ? trained
        : RoundPadded.of(g, trained, filledUp(trained.shape(), rank, dtype), dtype);
  }

  /** The rank as products of {@code dtype} run through it. */
  public static long pitch(long rank, DType dtype) {
    return dtype == DType.F32 ? rank : (rank + 7) / 8 * 8;
  }

  /** Whether products of {@code dtype} leave alone what fills rows of xa up to whole chunks. */
  boolean leavesGaps(DType dtype) {
    return pitch(rank(), dtype) != pitch(rank(), DType.BF16);
  }

  /** The shape of a matrix as products of {@code dtype} read it. */
  public static Shape filledUp(Shape matrix, RankAxis rank, DType dtype) {
    List<Long> dims = new ArrayList<>(matrix.dims());
    int axis = dims.size() - rank.fromBehind;
    dims.set(axis, pitch(dims.get(axis), dtype));
    return Shape.of(dims.stream().mapToLong(d -> d).toArray());
  }

  long rank() {
    return b.shape().last();
  }

  long in() {
    return a.shape().last();
  }

  /** Of a mixture's expert. */
  long out() {
    return b.shape().dim(b.shape().dims().size() - 2);
  }
}
