package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.testing.ChildJava;
import org.loranative.testing.TinyModel;

/** Countries whose letters and digits differ, and a system that names no encoding. */
class LocaleTest {
  @TempDir private Path folder;

  @BeforeEach
  void prepare() throws IOException {
    TinyModel.write(folder.resolve("base"));
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      lines.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"it is " + (7 - i) + "\"}");
    }
    Files.write(folder.resolve("train.jsonl"), lines);
  }

  private record Outcome(int code, String output) {}

  private Outcome run(Map<String, String> environment, List<String> java, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = ChildJava.command(java, Main.class.getName(), arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), output);
  }

  private Outcome train(String output, Map<String, String> environment, List<String> java)
      throws IOException, InterruptedException {
    return run(
        environment,
        java,
        "train",
        "--set=base_model=" + folder.resolve("base"),
        "--set=metadata_path=" + folder.resolve("train.jsonl"),
        "--set=validation_path=" + folder.resolve("train.jsonl"),
        "--set=output_dir=" + folder.resolve(output),
        "--set=template_date=2026-01-02",
        "--set=max_steps=3",
        "--set=threads=1",
        "--set=device=cpu");
  }

  /** Files by name with their text; numbers that a clock gave, and the folder's name, are gone. */
  private Map<String, String> written(String output) throws IOException {
    Path run = folder.resolve(output);
    Map<String, String> texts = new TreeMap<>();
    try (Stream<Path> files = Files.walk(run)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = run.relativize(file).toString();
        if (name.matches(".*\\.(jsonl|yaml|json)")) {
          texts.put(
              name,
              Files.readString(file)
                  .replaceAll(",\"tokens_per_s\":[0-9.E-]+,.*", "") // the clock and sensors
                  .replaceAll("\"(pid|process_start)\" : [0-9]+", "") // of the process
                  .replace(run.toString(), "RUN"));
        }
      }
    }
    return texts;
  }

  @Test
  void turkishLettersAndArabicDigitsChangeNothing() throws Exception {
    assertThat(train("run-en", Map.of(), List.of("-Duser.language=en")).code()).isZero();
    Map<String, String> english = written("run-en");
    assertThat(english)
        .containsKeys("config.yaml", "logs/metrics.jsonl", "adapter/adapter_config.json");
    for (String locale : List.of("tr", "ar-EG")) {
      String[] parts = locale.split("-");
      List<String> java = new ArrayList<>(List.of("-Duser.language=" + parts[0]));
      if (parts.length > 1) {
        java.add("-Duser.country=" + parts[1]);
      }
      Outcome trained = train("run-" + locale, Map.of(), java);
      assertThat(trained.code()).as(trained.output()).isZero();
      assertThat(trained.output()).matches("(?s)[^\u0660-\u0669\u0131\u0130]*");
      assertThat(written("run-" + locale)).isEqualTo(english);
    }
  }

  @Test
  void aPosixLocaleIsMetWithAdviceAndNeverGarbles() throws Exception {
    Map<String, String> posix = Map.of("LC_ALL", "C", "LANG", "C");
    Path config = folder.resolve("run.yaml");
    Files.writeString(
        config,
        "base_model: "
            + folder.resolve("base")
            + "\nmetadata_path: "
            + folder.resolve("donn\u00e9es.jsonl")
            + "\noutput_dir: "
            + folder.resolve("out")
            + "\n");
    Files.copy(folder.resolve("train.jsonl"), folder.resolve("donn\u00e9es.jsonl"));
    Outcome named = run(posix, List.of(), "plan", "--config", config.toString());
    assertThat(named.code()).as(named.output()).isEqualTo(2);
    assertThat(named.output()).contains("LC_ALL=C.UTF-8").doesNotContain("internal error");
    Outcome helped =
        run(Map.of("LC_ALL", "C.UTF-8"), List.of(), "plan", "--config", config.toString());
    assertThat(helped.code()).as(helped.output()).isZero();

    String script = Files.readString(Path.of("lora-native"));
    assertThat(script).contains("LC_ALL=C.UTF-8");
  }
}
