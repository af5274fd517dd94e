package org.loranative.lora;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.loranative.UserException;

/** The numbers of a finished adapter as the beginning of a run ({@code init_adapter}). */
public final class InitAdapter {
  private InitAdapter() {}

  /**
   * Numbers with which {@code run} changes the base as the adapter does, whatever alpha each has; a
   * rank below the run's is filled up as a new adapter is.
   *
   * @param path of the adapter, for messages
   */
  public static float[] of(Path path, Map<String, LowRank> adapter, Adapters run, long seed) {
    Map<String, LowRank> left = new TreeMap<>(adapter);
    float[] params = run.initial(seed);
    for (Adapters.Module m : run.modules()) {
      LowRank one = left.remove(m.path());
      if (one == null) {
        throw new UserException(
            String.format(
                "init_adapter %s has nothing for %s, which lora_targets names.", path, m.path()));
      }
      if (one.rank() > m.rank()) {
        throw new UserException(
            String.format(
                "init_adapter %s has rank %d for %s; the run's rank is %d and must be at least"
                    + " that (lora_rank).",
                path, one.rank(), m.path(), m.rank()));
      }
      place(one, m, params);
    }
    if (!left.isEmpty()) {
      throw new UserException(
          "init_adapter "
              + path
              + " adapts layers that lora_targets does not name, such as "
              + left.keySet().iterator().next()
              + ".");
    }
    return params;
  }

  private static void place(LowRank from, Adapters.Module m, float[] params) {
    System.arraycopy(from.a(), 0, params, (int) m.aOffset(), from.a().length);
    float factor = (float) (from.scale() / m.scale());
    int rank = from.rank();
    for (int row = 0; row < m.out(); row++) {
      for (int r = 0; r < rank; r++) {
        params[(int) m.bOffset() + row * m.rank() + r] = from.b()[row * rank + r] * factor;
      }
    }
  }
}
