package org.loranative.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The tables of docs/configuration.md are the catalogue's. */
class ConfigurationDocTest {
  private static final Path DOCUMENT = Path.of("docs/configuration.md");
  private static final Pattern PART =
      Pattern.compile("(<!-- generated: (.*?) -->\n).*?(<!-- end -->)", Pattern.DOTALL);

  @Test
  void tablesAreTheCatalogues() throws IOException {
    String written = Files.readString(DOCUMENT);
    Matcher part = PART.matcher(written);
    String generated =
        part.replaceAll(m -> Matcher.quoteReplacement(m.group(1) + of(m.group(2)) + m.group(3)));
    for (Section section : Section.values()) {
      assertThat(written).contains("<!-- generated: " + section.title + " -->");
    }
    if (Boolean.getBoolean("docs.write")) {
      Files.writeString(DOCUMENT, generated);
    } else {
      assertThat(written)
          .as("write it anew: mvn -DskipKernels test -Dtest=ConfigurationDocTest -Ddocs.write=true")
          .isEqualTo(generated);
    }
  }

  private static String of(String title) {
    if (title.equals("resume")) {
      return "What "
          + listed(Mark.SAME_CONTENT)
          + " name and the values of "
          + listed(Mark.LAYOUT, Mark.SAME_VALUE)
          + " must be those of the run.\n";
    }
    StringBuilder table = new StringBuilder("\n| key | default | value | |\n|---|---|---|---|\n");
    Catalogue.keys().stream()
        .filter(k -> k.section().title.equals(title))
        .forEach(
            k ->
                table.append(
                    "| `%s` | %s | %s | %s%s |\n"
                        .formatted(
                            k.name(),
                            k.shownDefaults(),
                            k.allowed() instanceof Allowed.OneOf words
                                ? "`" + String.join("`, `", words.words()) + "`"
                                : k.values(),
                            k.sentence(),
                            (k.detail().isEmpty() ? "" : " " + k.detail())
                                + (k.isFor(TaskType.SD) ? "" : " (Text only.)")
                                + (k.isFor(TaskType.LLM) || k.section() == Section.IMAGES
                                    ? ""
                                    : " (Images only.)"))));
    return table.append("\n").toString();
  }

  private static String listed(Mark... marks) {
    return Arrays.stream(marks)
        .flatMap(m -> Catalogue.marked(m).stream())
        .map(n -> "`" + n + "`")
        .collect(Collectors.joining(", "))
        .replaceFirst(", (?=[^,]*$)", " and ");
  }
}
