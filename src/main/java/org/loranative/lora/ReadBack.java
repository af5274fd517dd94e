package org.loranative.lora;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.Numbers;

/** Whether an adapter's file says what was trained: the file is read as another's would be. */
public final class ReadBack {
  /** Scales are folded into numbers on the way. */
  private static final float ROUNDING = 1e-6f;

  private ReadBack() {}

  /**
   * @param written for the message
   * @param read what the file says, by path
   * @param params what was trained, a flat buffer of {@code trained}
   * @throws UserException if the two change the base differently
   */
  public static void require(
      Path written, Map<String, AdaptedLayer> read, Adapters trained, Numbers params) {
    Map<String, AdaptedLayer> own = new LinkedHashMap<>();
    for (Adapters.Module m : trained.modules()) {
      own.put(m.path(), m.spec().method().exported(AdaptedLayer.of(m, params, false)));
    }
    List<Adapters.Target> targets =
        trained.modules().stream().map(Adapters.Module::target).toList();
    Mix expected = Mix.of(targets, List.of(new Mix.Part(own, 1)));
    Mix actual = Mix.of(targets, List.of(new Mix.Part(read, 1)));
    for (Adapters.Module m : expected.adapters().modules()) {
      boolean same =
          actual
              .adapters()
              .find(m.path())
              .map(o -> near(o, actual.params(), m, expected.params()))
              .orElse(false);
      if (!same) {
        throw new UserException(
            String.format(
                "%s does not say what was trained at %s: a fault of lora-native, which please"
                    + " report. The last checkpoint is whole.",
                written, m.path()));
      }
    }
  }

  private static boolean near(
      Adapters.Module read, Numbers params, Adapters.Module own, Numbers ownParams) {
    boolean near = read.parts().size() == own.parts().size();
    for (int i = 0; near && i < own.parts().size(); i++) {
      Part a = read.parts().get(i).part();
      Part b = own.parts().get(i).part();
      near =
          a.name().equals(b.name())
              && a.shape().equals(b.shape())
              && near(read.parts().get(i).of(params), own.parts().get(i).of(ownParams));
    }
    return near;
  }

  private static boolean near(Numbers actual, Numbers expected) {
    float[] largest = {0};
    expected.inPieces(
        (from, piece, count) -> {
          for (int i = 0; i < count; i++) {
            largest[0] = Math.max(largest[0], Math.abs(piece[i]));
          }
        });
    // NaN is never near, which is right unless it was trained so.
    return actual.areLike(
        expected, (x, y) -> Float.compare(x, y) == 0 || Math.abs(x - y) <= ROUNDING * largest[0]);
  }
}
