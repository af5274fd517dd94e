package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code docs/kernels.md} has a line for every kernel. */
class KernelsDocTest {
  /** A kernel of its own, one with instances, and one of a family whose macro takes the name. */
  private static final List<Pattern> DEFINITIONS =
      List.of(
          Pattern.compile("\\bLN_KERNEL\\(\\s*([a-z]\\w*)"),
          Pattern.compile("\\bLN_INSTANCES\\w*\\(\\s*\\([^)]*\\),\\s*([a-z]\\w*)(##)?"),
          Pattern.compile("(?m)^LN_[A-Z0-9_]+\\(([a-z]\\w*_[a-z0-9_]+),"));

  @Test
  void everyKernelHasALine() throws IOException {
    String doc = Files.readString(Path.of("docs/kernels.md"));
    String table = doc.substring(doc.indexOf("## Every kernel"), doc.indexOf("## Whole steps"));
    TreeSet<String> kernels = new TreeSet<>();
    try (Stream<Path> files = Files.list(Path.of("cuda"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".cu")).toList()) {
        String source = Files.readString(file).replace("\\\n", "\n");
        int before = kernels.size();
        for (Pattern definition : DEFINITIONS) {
          definition.matcher(source).results().map(KernelsDocTest::line).forEach(kernels::add);
        }
        assertThat(kernels).as(file + " defines kernels").hasSizeGreaterThan(before);
      }
    }
    kernels.remove("\\| name \\|"); // what a macro calls the name that it is given
    assertThat(kernels).hasSizeGreaterThan(100);
    assertThat(kernels)
        .as("run benchmarks/kernel_report.py")
        .allMatch(line -> Pattern.compile(line).matcher(table).find());
  }

  /** How a kernel's line begins; of a name that a macro ends, any. */
  private static String line(MatchResult definition) {
    boolean ended = definition.groupCount() > 1 && definition.group(2) != null;
    return "\\| " + definition.group(1) + (ended ? "\\w+" : "") + " \\|";
  }
}
