package org.loranative.model.llm;

import java.util.List;
import java.util.function.LongUnaryOperator;

/** Gate and up of experts, which are one layer here, as files have them apart. */
final class Halves {
  private Halves() {}

  /**
   * A layer, or a half of one.
   *
   * @param ours which of the layer's rows each of its rows is
   */
  record Half(String path, long rows, LongUnaryOperator ours) {}

  /**
   * The halves of a layer that is gate and up; another layer itself.
   *
   * @param out its rows
   * @param inTurn whether rows of gate and up take turns in it
   */
  static List<Half> of(String path, long out, boolean inTurn) {
    if (!path.endsWith(MixtureMlp.TOGETHER)) {
      return List.of(new Half(path, out, row -> row));
    }
    String module = path.substring(0, path.length() - MixtureMlp.TOGETHER.length());
    String gate = module + MixtureMlp.HALVES.get(0);
    String up = module + MixtureMlp.HALVES.get(1);
    long half = out / 2;
    return inTurn
        ? List.of(new Half(gate, half, row -> 2 * row), new Half(up, half, row -> 2 * row + 1))
        : List.of(new Half(gate, half, row -> row), new Half(up, half, row -> half + row));
  }
}
