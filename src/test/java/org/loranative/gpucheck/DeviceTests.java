package org.loranative.gpucheck;

import static org.junit.platform.engine.discovery.ClassNameFilter.excludeClassNamePatterns;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs the tests of ops and models on the device that the environment names; writes their number
 * and the failures as JSON, anew after each failure, so that a fault of the card leaves what was
 * found. Arguments: {@code toy|full FILE}.
 */
public final class DeviceTests {
  private static final ObjectMapper JSON = new ObjectMapper();

  private DeviceTests() {}

  public static void main(String[] args) throws IOException {
    boolean toy = args[0].equals("toy");
    List<? extends DiscoverySelector> all =
        toy
            ? List.of(selectClass("org.loranative.graph.ops.CudaEmulatorLossAndOptimizerTest"))
            : List.of(
                selectPackage("org.loranative.graph.ops"),
                selectClass("org.loranative.model.llm.GoldenTest"),
                selectClass("org.loranative.model.diffusion.DiffusionGoldenTest"),
                selectClass("org.loranative.model.llm.Nf4Test"));
    var request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(all)
            .filters(TagFilter.excludeTags("slow"))
            // What must know that it is emulated, and the same tests on a second emulator.
            .filters(excludeClassNamePatterns(".*\\.(CudaCheck|Cpu)[A-Za-z]*Test"))
            .build();
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    ObjectNode result = JSON.createObjectNode();
    ArrayNode failures = result.putArray("failures");
    File file = new File(args[1]);
    TestExecutionListener listener =
        new TestExecutionListener() {
          @Override
          public void executionFinished(TestIdentifier test, TestExecutionResult outcome) {
            outcome
                .getThrowable()
                .ifPresent(
                    e -> {
                      failures
                          .addObject()
                          .put("test", test.getUniqueId())
                          .put("why", String.valueOf(e.getMessage()).strip());
                      write(file, result);
                    });
          }
        };
    LauncherFactory.create().execute(request, summary, listener);
    result.put("run", summary.getSummary().getTestsStartedCount());
    result.put("passed", summary.getSummary().getTestsSucceededCount());
    write(file, result);
  }

  private static void write(File file, ObjectNode result) {
    try {
      JSON.writerWithDefaultPrettyPrinter().writeValue(file, result);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
