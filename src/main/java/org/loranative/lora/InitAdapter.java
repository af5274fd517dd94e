package org.loranative.lora;

import java.nio.file.Path;
import java.util.List;
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
  public static Flat of(Path path, Map<String, AdaptedLayer> adapter, Adapters run, long seed) {
    Map<String, AdaptedLayer> left = new TreeMap<>(adapter);
    Flat params = run.initial(seed);
    for (Adapters.Module m : run.modules()) {
      AdaptedLayer one = left.remove(m.path());
      if (one == null) {
        throw new UserException(
            String.format(
                "init_adapter %s has nothing for %s, which lora_targets or modules_to_save"
                    + " names.",
                path, m.path()));
      }
      if (!one.method().name().equals(m.spec().method().name())) {
        throw new UserException(
            String.format(
                "init_adapter %s is %s at %s, but the run trains %s (lora_method).",
                path, one.method().name(), m.path(), m.spec().method().name()));
      }
      if (one.rank() > m.rank()) {
        throw new UserException(
            String.format(
                "init_adapter %s has rank %d for %s; the run's rank is %d and must be at least"
                    + " that (lora_rank).",
                path, one.rank(), m.path(), m.rank()));
      }
      if (one.rank() < m.rank() && !one.method().concatenates()) {
        throw new UserException(
            String.format(
                "init_adapter %s has rank %d for %s; %s can only go on with the same rank"
                    + " (lora_rank).",
                path, one.rank(), m.path(), one.method().name()));
      }
      requireSameShapes(path, one, m);
      one.place(m, (float) (one.scale() / m.scale()), 0, params);
    }
    if (!left.isEmpty()) {
      throw new UserException(
          "init_adapter "
              + path
              + " holds layers that lora_targets and modules_to_save do not name, such as "
              + left.keySet().iterator().next()
              + ".");
    }
    return params;
  }

  /** Of a method whose sizes are not its rank's alone. */
  private static void requireSameShapes(Path path, AdaptedLayer one, Adapters.Module m) {
    if (one.method().concatenates()) {
      return;
    }
    List<Part> wanted = m.parts().stream().map(Adapters.Place::part).toList();
    for (int i = 0; i < wanted.size(); i++) {
      Part has = one.parts().get(i);
      if (!has.name().equals(wanted.get(i).name()) || !has.shape().equals(wanted.get(i).shape())) {
        throw new UserException(
            String.format(
                "init_adapter %s has %s %s for %s; the run's is %s %s (lora_rank, lokr_factor).",
                path,
                has.name(),
                has.shape(),
                m.path(),
                wanted.get(i).name(),
                wanted.get(i).shape()));
      }
    }
  }
}
