package org.loranative.lora;

import java.util.ArrayList;
import java.util.List;
import org.loranative.graph.Shape;

/**
 * One tensor of those that a method keeps for a layer.
 *
 * @param name in graphs
 * @param shape in memory, where a convolution's input is [kernel, kernel, channels]
 * @param axes what files and other ranks need to know of the shape
 * @param start what it holds before training
 * @param scales whether the layer's effect grows in proportion to it: of the parts of a method one
 *     does, and takes the scales that an adapter brings along
 * @param keys what files call it
 */
public record Part(String name, Shape shape, Axes axes, Start start, boolean scales, Keys keys) {

  /** What its first and last axis count. */
  public enum Axes {
    RANK_BY_INPUT,
    OUTPUT_BY_RANK
  }

  /** What a part holds before training. */
  public sealed interface Start {
    /** Zeros; a layer all of whose zeros have stayed has learnt nothing. */
    record Zeros() implements Start {}

    /** Uniform in (-bound, bound). */
    record Uniform(double bound) implements Start {}
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

  /** How many numbers it has. */
  public int size() {
    return Math.toIntExact(shape.size());
  }

  /** Which axis counts ranks. */
  private int rankAxis() {
    return axes == Axes.RANK_BY_INPUT ? 0 : 1;
  }

  /** The rank of a tensor of a file. */
  int rank(List<Long> fileShape) {
    return fileShape.size() > rankAxis() ? Math.toIntExact(fileShape.get(rankAxis())) : 0;
  }

  /**
   * Its shape in files.
   *
   * @param convolution whether the file holds the layer as one, which is also done for kernels of 1
   */
  List<Long> fileShape(Adapters.Target layer, boolean convolution) {
    long first = shape.dim(0);
    long last = shape.last();
    if (!convolution) {
      return List.of(first, last);
    }
    long kernel = layer.kernel();
    return axes == Axes.RANK_BY_INPUT
        ? List.of(first, last / kernel / kernel, kernel, kernel)
        : List.of(first, last, 1L, 1L);
  }

  /**
   * Its numbers in the order of files, where a convolution's input is [channels, kernel, kernel].
   */
  float[] toFile(float[] numbers, Adapters.Target layer) {
    int taps = layer.kernel() * layer.kernel();
    return axes == Axes.RANK_BY_INPUT
        ? transposed(numbers, taps, Math.toIntExact(shape.last() / taps))
        : numbers;
  }

  /** The way back. */
  float[] ofFile(float[] numbers, Adapters.Target layer) {
    int taps = layer.kernel() * layer.kernel();
    return axes == Axes.RANK_BY_INPUT
        ? transposed(numbers, Math.toIntExact(shape.last() / taps), taps)
        : numbers;
  }

  /** Rows of [first, second] as rows of [second, first]. */
  private static float[] transposed(float[] x, int first, int second) {
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
   * @param flat where this part begins at {@code offset}
   */
  void place(Part from, float[] numbers, float factor, int before, float[] flat, long offset) {
    int columns = Math.toIntExact(from.shape.last());
    int row = rankAxis() == 0 ? before : 0;
    int column = rankAxis() == 1 ? before : 0;
    for (int i = 0; i < from.shape.dim(0); i++) {
      int at = Math.toIntExact(offset + (row + i) * shape.last() + column);
      for (int j = 0; j < columns; j++) {
        float x = numbers[i * columns + j];
        flat[at + j] = factor == 1 ? x : x * factor;
      }
    }
  }
}
