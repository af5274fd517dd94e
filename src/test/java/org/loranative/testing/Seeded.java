package org.loranative.testing;

import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
  private static final long APART = 0x9E3779B97F4A7C15L; // neighbouring seeds begin nearly alike
  private static final Pattern REPETITION = Pattern.compile("-invocation:#(\\d+)]$");

  private static long seed() {
    String given = System.getProperty("tests.seed", "");
    return given.isEmpty() ? System.nanoTime() : Long.parseLong(given);
  }

  @Override
  public boolean supportsParameter(ParameterContext p, ExtensionContext c) {
    return p.getParameter().getType() == Random.class;
  }

  /** The same in all methods, other numbers for each repetition of one and row of its arguments. */
  @Override
  public Object resolveParameter(ParameterContext p, ExtensionContext c) {
    Matcher repetition = REPETITION.matcher(c.getUniqueId());
    return new Random(SEED + (repetition.find() ? APART * Long.parseLong(repetition.group(1)) : 0));
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
