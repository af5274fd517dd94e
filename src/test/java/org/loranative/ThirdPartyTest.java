package org.loranative;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.loranative.label.Labelling;

/** The jar names the licence of each library that it holds. */
class ThirdPartyTest {
  private static String listed() throws IOException {
    try (InputStream in = ThirdPartyTest.class.getResourceAsStream("/META-INF/THIRD-PARTY.txt")) {
      assertThat(in).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void everyDependencyIsListedWithItsLicence() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    String dependencies =
        pom.substring(pom.indexOf("<dependencies>"), pom.indexOf("</dependencies>"));
    List<String> inJar =
        Pattern.compile("<dependency>.*?</dependency>", Pattern.DOTALL)
            .matcher(dependencies)
            .results()
            .map(MatchResult::group)
            .filter(d -> !d.contains("<scope>test") && !d.contains("<scope>provided"))
            .map(d -> d.replaceAll("(?s).*?<artifactId>([^<]*)</artifactId>.*", "$1"))
            .distinct()
            .toList();
    assertThat(inJar).hasSizeGreaterThan(15);
    String listed = listed();
    assertThat(inJar).allSatisfy(name -> assertThat(listed).contains(":" + name + ":"));
    assertThat(listed).doesNotContain("Unknown license").doesNotContain(":assertj-core:");
  }

  @Test
  void licencesOfLibrariesAreKeptSideBySide() {
    for (String file :
        List.of("README.txt", "commons-csv-jar/META-INF/NOTICE.txt", "jna-jar/META-INF/LICENSE")) {
      assertThat(ThirdPartyTest.class.getResource("/META-INF/third-party/" + file))
          .as(file)
          .isNotNull();
    }
  }

  @Test
  void theRuntimeThatUsersFetchIsTheOneThatIsTested() throws IOException {
    Matcher version =
        Pattern.compile("<artifactId>onnxruntime</artifactId>\\s*<version>([^<]*)")
            .matcher(Files.readString(Path.of("pom.xml")));
    assertThat(version.find()).isTrue();
    assertThat(Labelling.RUNTIME).endsWith(":" + version.group(1));
    assertThat(Files.readString(Path.of("docs/images.md"))).contains(Labelling.RUNTIME);
  }
}
