package org.loranative.testing;

import java.util.Random;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Gives a test a {@link Random} of a fresh seed and prints the seed when the test fails; {@code
 * -Dtests.seed=N} runs it again exactly.
 */
public final class Seeded implements ParameterResolver, TestWatcher {
  private static final long SEED = seed();

  private static long seed() {
    String given = System.getProperty("tests.seed", "");
    return given.isEmpty() ? System.nanoTime() : Long.parseLong(given);
  }

  @Override
  public boolean supportsParameter(ParameterContext p, ExtensionContext c) {
    return p.getParameter().getType() == Random.class;
  }

  @Override
  public Object resolveParameter(ParameterContext p, ExtensionContext c) {
    return new Random(SEED);
  }

  /** How to draw the same again, for tests that are made while others run. */
  public static String again() {
    return "-Dtests.seed=" + SEED;
  }

  @Override
  public void testFailed(ExtensionContext context, Throwable cause) {
    System.err.println(context.getDisplayName() + " failed with " + again());
  }
}
