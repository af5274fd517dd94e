package org.loranative.lora;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.graph.Shape;
import org.loranative.io.Numbers;

/**
 * One tensor of those that a method keeps for a layer.
 *
 * @param name in graphs
 * @param shape in memory, where a convolution's input is [kernel, kernel, channels]; of a mixture's
 *     experts [experts, …], which files of PEFT's hold as one matrix: ranks by input [experts ·
 *     rank, in], outputs by rank with the experts innermost, [out, rank · experts]
 * @param axes what files and other ranks need to know of the shape
 * @param files its shape in files
 * @param start what it holds before training
 * @param scales whether the layer's effect grows in proportion to it: of the parts of a method one
 *     does, and takes the scales that an adapter brings along
 * @param keys what files call it
 * @param rate learning rate, relative to the layer's
 */
public record Part(
    String name,
    Shape shape,
    Axes axes,
    InFiles files,
    Start start,
    boolean scales,
    Keys keys,
    double rate) {

  /** One that learns at the layer's rate. */
  public Part(
      String name, Shape shape, Axes axes, InFiles files, Start start, boolean scales, Keys keys) {
    this(name, shape, axes, files, start, scales, keys, 1);
  }

  /** The same part at another rate. */
  Part at(double otherRate) {
    return new Part(name, shape, axes, files, start, scales, keys, otherRate);
  }

  /** What its first and last axis count. */
  public enum Axes {
    RANK_BY_INPUT,
    OUTPUT_BY_RANK,
    /** Outputs by inputs, or a factor of theirs. */
    OUTPUT_BY_INPUT,
    /** Neither ranks nor inputs. */
    OTHER;

    boolean endsInInput() {
      return this == RANK_BY_INPUT || this == OUTPUT_BY_INPUT;
    }
  }

  /** How files hold a part. */
  public interface InFiles {
    /** As a matrix, whatever the layer is. */
    InFiles MATRIX =
        (part, file) -> {
          long rows = part.shape.rows() / part.experts();
          return part.axes == Axes.OUTPUT_BY_RANK
              ? List.of(rows, part.shape.last() * part.experts())
              : List.of(rows * part.experts(), part.shape.last());
        };

    /** Of a convolution, as a kernel of its size. */
    InFiles KERNEL =
        (part, file) -> {
          long k = file.layer().kernel();
          return file.convolution()
              ? List.of(part.shape.dim(0), part.shape.last() / k / k, k, k)
              : MATRIX.shape(part, file);
        };

    /** Of a convolution, as a kernel of one pixel. */
    InFiles PIXEL =
        (part, file) ->
            file.convolution()
                ? List.of(part.shape.dim(0), part.shape.last(), 1L, 1L)
                : MATRIX.shape(part, file);

    List<Long> shape(Part part, FileLayer file);
  }

  /**
   * A layer as a file holds it.
   *
   * @param convolution whether as one, which is also done for kernels of 1
   * @param kohya whether the file has kohya's names
   */
  public record FileLayer(Adapters.Target layer, boolean convolution, boolean kohya) {}

  /** What a part holds before training. */
  public sealed interface Start {
    /** Zeros; a layer all of whose zeros have stayed has learnt nothing. */
    record Zeros() implements Start {}

    /** Uniform in (-bound, bound). */
    record Uniform(double bound) implements Start {}

    /** Normal, of mean 0. */
    record Normal(double deviation) implements Start {}

    /** What the method makes of the base, see {@link AdapterMethod#startFromBase}. */
    record FromBase() implements Start {}
  }

  /**
   * Ends of the names of tensors, behind the layer's.
   *
   * @param kohya as kohya's files have it
   * @param peft as PEFT's and diffusers' files have it
   * @param others that tools have used
   */
  public record Keys(String kohya, String peft, List<String> others) {
    List<String> all() {
      List<String> all = new ArrayList<>(List.of(kohya, peft));
      all.addAll(others);
      return all;
    }
  }

  /** The same part by another name, with another start. */
  Part startingAs(String otherName, Start otherStart) {
    return new Part(otherName, shape, axes, files, otherStart, scales, keys, rate);
  }

  /** How many numbers it has. */
  public long size() {
    return shape.size();
  }

  /** Whether its shape tells the rank. */
  boolean tellsRank() {
    return axes == Axes.RANK_BY_INPUT || axes == Axes.OUTPUT_BY_RANK;
  }

  /** The rank of a tensor of a file, if its shape tells one. */
  Optional<Integer> rank(List<Long> fileShape) {
    int axis = axes == Axes.RANK_BY_INPUT ? 0 : 1;
    return tellsRank() && fileShape.size() > axis
        ? Optional.of(Math.toIntExact(fileShape.get(axis) / experts()))
        : Optional.empty();
  }

  /** Matrices one behind the other: one for each expert of a mixture, else 1. */
  private int experts() {
    return shape.dims().size() == 3 ? Math.toIntExact(shape.dim(0)) : 1;
  }

  /** Its shape in files. */
  List<Long> fileShape(FileLayer file) {
    return files.shape(this, file);
  }

  /** Likewise wherever they lie; those that files hold in the same order stay there. */
  Numbers toFile(Numbers numbers, Adapters.Target layer) {
    boolean same = axes == Axes.OUTPUT_BY_RANK ? experts() == 1 : layer.kernel() == 1;
    return same ? numbers : Numbers.of(toFile(numbers.all(), layer));
  }

  /**
   * Its numbers in the order of files, where a convolution's input is [channels, kernel, kernel].
   */
  float[] toFile(float[] numbers, Adapters.Target layer) {
    if (axes == Axes.OUTPUT_BY_RANK) {
      return transposed(numbers, experts(), numbers.length / experts());
    }
    int taps = layer.kernel() * layer.kernel();
    return axes.endsInInput()
        ? transposed(numbers, taps, Math.toIntExact(shape.last() / taps))
        : numbers;
  }

  /** The way back. */
  float[] ofFile(float[] numbers, Adapters.Target layer) {
    if (axes == Axes.OUTPUT_BY_RANK) {
      return transposed(numbers, numbers.length / experts(), experts());
    }
    int taps = layer.kernel() * layer.kernel();
    return axes.endsInInput()
        ? transposed(numbers, Math.toIntExact(shape.last() / taps), taps)
        : numbers;
  }

  /** Matrices [first, second], one behind the other, as [second, first]. */
  public static float[] transposed(float[] x, int first, int second) {
    if (first == 1 || second == 1) {
      return x;
    }
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += first * second) {
      for (int i = 0; i < first; i++) {
        for (int j = 0; j < second; j++) {
          y[row + j * first + i] = x[row + i * second + j];
        }
      }
    }
    return y;
  }

  /**
   * Puts {@code from}, the same part of a smaller rank, among the ranks of this one.
   *
   * @param factor that its numbers are multiplied by
   * @param before ranks of this one that stay as they are
   * @param to this one's numbers
   */
  void place(Part from, float[] numbers, float factor, int before, float[] to) {
    int columns = Math.toIntExact(from.shape.last());
    int row = axes == Axes.RANK_BY_INPUT ? before : 0;
    int column = axes == Axes.OUTPUT_BY_RANK ? before : 0;
    long ownRows = shape.rows() / experts();
    long fromRows = from.shape.rows() / experts();
    for (int i = 0; i < from.shape.rows(); i++) {
      long own = i / fromRows * ownRows + row + i % fromRows;
      int at = Math.toIntExact(own * shape.last() + column);
      for (int j = 0; j < columns; j++) {
        float x = numbers[i * columns + j];
        to[at + j] = factor == 1 ? x : x * factor;
      }
    }
  }
}
