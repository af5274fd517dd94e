package org.loranative.gpucheck;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectUniqueId;

import java.util.stream.Stream;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs tests on the device that the environment names, and says of each when it begins and how it
 * ended; not those of slow things, nor of how files are read, which no device does. Argument:
 * {@code CLASS}, {@code CLASS#METHOD} or a test's unique id.
 */
public final class DeviceTests {
  private DeviceTests() {}

  /** The method of that name; tests may take arguments, which JUnit wants to be told. */
  private static DiscoverySelector method(String what) {
    String[] parts = what.split("#");
    Class<?> type = selectClass(parts[0]).getJavaClass();
    return Stream.of(type.getDeclaredMethods())
        .filter(m -> m.getName().equals(parts[1]) && !m.isSynthetic())
        .findFirst()
        .map(m -> selectMethod(type, m))
        .orElseThrow(() -> new IllegalArgumentException("no test " + what));
  }

  public static void main(String[] args) {
    String what = args[0];
    DiscoverySelector selector =
        what.startsWith("[")
            ? selectUniqueId(what)
            : what.contains("#") ? method(what) : selectClass(what);
    var request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selector)
            .filters(TagFilter.excludeTags("slow", "files"))
            .build();
    int[] failed = {0};
    TestExecutionListener listener =
        new TestExecutionListener() {
          @Override
          public void executionStarted(TestIdentifier test) {
            if (test.isTest()) {
              Report.line(line -> line.put("began", test.getDisplayName()));
            }
          }

          @Override
          public void executionFinished(TestIdentifier test, TestExecutionResult outcome) {
            // A test that has no meaning on this machine is aborted, which is no failure.
            boolean ok = outcome.getStatus() != TestExecutionResult.Status.FAILED;
            if (test.isTest() || !ok) {
              Report.line(
                  line -> {
                    line.put("test", test.getDisplayName()).put("id", test.getUniqueId());
                    line.put("ok", ok);
                    outcome
                        .getThrowable()
                        .ifPresent(e -> line.put("why", String.valueOf(e.getMessage()).strip()));
                  });
            }
            failed[0] += ok ? 0 : 1;
          }
        };
    LauncherFactory.create().execute(request, listener);
    System.exit(failed[0] > 0 ? 1 : 0);
  }
}
