package org.loranative.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;

/** One declaration for each key, and what derives from it. */
class CatalogueTest {
  @TempDir private Path folder;

  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  /** README's configurations: indented, from task_type on. */
  private static final Pattern EXAMPLE = Pattern.compile("(?m)^    task_type:.*\\n(    .*\\n)+");

  @Test
  void everyKeyHasAComponentAtItsPlace() {
    RecordComponent[] components = TrainConfig.class.getRecordComponents();
    assertThat(
            Arrays.stream(components)
                .map(c -> c.getName().replaceAll("(?=[A-Z])", "_").toLowerCase(Locale.ROOT)))
        .containsExactlyElementsOf(Catalogue.names());
    for (int i = 0; i < components.length; i++) {
      assertThat(components[i].getGenericType().getTypeName())
          .as(components[i].getName())
          .isEqualTo(Catalogue.keys().get(i).type().java.getTypeName());
    }
  }

  @Test
  void defaultsAreAllowed() throws IOException {
    for (TaskType task : TaskType.values()) {
      TrainConfig config = ConfigReader.read(Optional.empty(), List.of("task_type=" + task.label));
      Path file = Files.writeString(folder.resolve("run.yaml"), ConfigReader.toYaml(config));
      assertThat(ConfigReader.read(Optional.of(file), List.of())).isEqualTo(config);
    }
  }

  /** What {@code config KEY} gives as an example can be written so, in an editor too. */
  @Test
  void examplesRead() throws IOException {
    Schema schema = schema();
    for (Key key : Catalogue.keys()) {
      String example = key.exampleLine();
      ObjectNode tree = tree(example);
      if (!key.isFor(TaskType.LLM)) {
        tree.put("task_type", "sd");
      }
      String[] parts = example.split(": ", 2);
      String task = "task_type=" + (key.isFor(TaskType.LLM) ? "llm" : "sd");
      assertThat(ConfigReader.read(Optional.empty(), List.of(task, parts[0] + "=" + parts[1])))
          .isNotNull();
      assertThat(schema.validate(tree)).as(example).isEmpty();
      assertThat(key.sentence()).as(key.name()).hasSizeBetween(8, 90).endsWith(".");
    }
  }

  @Test
  void schemaIsOneAndHoldsForExamples() throws IOException {
    JsonNode text = new ObjectMapper().readTree(ConfigSchema.text());
    Schema meta =
        REGISTRY.getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
    assertThat(meta.validate(text)).isEmpty();
    assertThat(text.path("properties").size()).isEqualTo(Catalogue.keys().size());
    List<String> examples =
        EXAMPLE
            .matcher(Files.readString(Path.of("README.md")))
            .results()
            .map(MatchResult::group)
            .toList();
    assertThat(examples).hasSizeGreaterThanOrEqualTo(2);
    for (String example : examples) {
      assertThat(schema().validate(tree(example.indent(-4)))).as(example).isEmpty();
    }
    for (TaskType task : TaskType.values()) {
      TrainConfig config = ConfigReader.read(Optional.empty(), List.of("task_type=" + task.label));
      ObjectNode tree = tree(ConfigReader.toYaml(config));
      tree.properties().removeIf(e -> e.getValue().asText().isEmpty() && e.getValue().isTextual());
      assertThat(schema().validate(tree)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora_rnk: 8",
        "lora_rank: 0",
        "lora_rank: many",
        "lora_rank: 2.5",
        "lora_alpha: 0",
        "optimizer: sgd",
        "lora_method: lokr\nlokr_factor: 0",
        "packing: maybe",
        "device: gpu",
        "background: white",
        "lora_targets: []",
        "lora_targets: [{rank: 4}]",
        "lora_targets: [{target: a, rnk: 4}]",
        "resolution: 512",
        "task_type: sd\npacking: true",
        "task_type: music",
      })
  void schemaRefusesWhatTheReaderRefuses(String yaml) throws IOException {
    assertThat(schema().validate(tree(yaml))).isNotEmpty();
    Path file = Files.writeString(folder.resolve("run.yaml"), yaml);
    assertThatThrownBy(() -> ConfigReader.read(Optional.of(file), List.of()))
        .isInstanceOf(UserException.class);
  }

  private static Schema schema() throws IOException {
    return REGISTRY.getSchema(new ObjectMapper().readTree(ConfigSchema.text()));
  }

  /** As editors read it, by YAML 1.2: there 1e-4 is a number. */
  private static ObjectNode tree(String yaml) {
    try {
      ObjectNode tree = (ObjectNode) new YAMLMapper().readTree(yaml);
      for (var entry : tree.properties()) {
        if (entry.getValue().asText().matches("[0-9.]+e-?[0-9]+")) {
          tree.put(entry.getKey(), Double.parseDouble(entry.getValue().asText()));
        }
      }
      return tree;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
