package org.loranative.optim;

import java.util.Map;
import java.util.function.Function;

/** The optimizers by the names that configurations give them. */
public final class Optimizers {
  private static final Map<String, Function<Hyperparameters, Optimizer>> BY_NAME =
      Map.of(
          AdamWOptimizer.NAME, AdamWOptimizer::new,
          AdamW8bitOptimizer.NAME, AdamW8bitOptimizer::new,
          LionOptimizer.NAME, LionOptimizer::new,
          ScheduleFreeOptimizer.NAME, ScheduleFreeOptimizer::new,
          ProdigyOptimizer.NAME, ProdigyOptimizer::new,
          AdafactorOptimizer.NAME, AdafactorOptimizer::new,
          CameOptimizer.NAME, CameOptimizer::new);

  private Optimizers() {}

  /**
   * @param name one that exists: the configuration has been checked
   */
  public static Optimizer named(String name, Hyperparameters hyperparameters) {
    return BY_NAME.get(name).apply(hyperparameters);
  }

  /**
   * Beside it, an average of the parameters over steps, which is evaluated in their place.
   *
   * @param decay between 0 and 1: how much of the average stays in a step, but for the first steps
   */
  public static Optimizer averaged(Optimizer optimizer, double decay) {
    return new AveragedOptimizer(optimizer, decay);
  }
}
