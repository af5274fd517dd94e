package org.loranative.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.config.Catalogue;
import org.loranative.config.ConfigSchema;
import org.loranative.config.Key;
import org.loranative.config.Mark;
import org.loranative.config.Section;
import org.loranative.config.TaskType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native config}. */
@Command(
    name = "config",
    description = "List the settings of a run, or explain one.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "  lora-native config",
      "  lora-native config lora_rank",
      "  lora-native config --schema > lora-native.schema.json   (for editors)"
    })
final class ConfigCommand implements Callable<Integer> {
  @Parameters(paramLabel = "KEY", arity = "0..1", description = "The setting to explain.")
  private Optional<String> key = Optional.empty();

  @Option(names = "--task", paramLabel = "TASK", description = "Only settings of llm or sd.")
  private Optional<String> task = Optional.empty();

  @Option(names = "--schema", description = "Print the JSON Schema of a run's file.")
  private boolean schema;

  @Override
  public Integer call() {
    if (schema) {
      System.out.println(ConfigSchema.text());
    } else if (key.isPresent()) {
      System.out.print(explain(named(key.get())));
    } else {
      System.out.print(list(tasks()));
    }
    return 0;
  }

  private List<TaskType> tasks() {
    if (task.isEmpty()) {
      return List.of(TaskType.values());
    }
    return List.of(
        TaskType.named(task.get())
            .orElseThrow(
                () -> new UserException("--task is " + task.get() + ", but must be llm or sd.")));
  }

  private static Key named(String name) {
    return Catalogue.find(name)
        .orElseThrow(() -> new UserException(name + Catalogue.unknown(name)));
  }

  private static String list(List<TaskType> tasks) {
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("key"));
    tasks.forEach(t -> head.add("default, " + t.label));
    head.add("");
    rows.add(head);
    for (Section section : Section.values()) {
      List<Key> keys =
          Catalogue.keys().stream()
              .filter(k -> k.section() == section && tasks.stream().anyMatch(k::isFor))
              .toList();
      if (!keys.isEmpty()) {
        rows.add(List.of());
        rows.add(List.of(section.title));
      }
      for (Key k : keys) {
        List<String> row = new ArrayList<>(List.of("  " + k.name()));
        tasks.forEach(t -> row.add(k.isFor(t) ? Key.plain(k.shownDefault(t)) : "–"));
        row.add(k.plainSentence());
        rows.add(row);
      }
    }
    return aligned(rows);
  }

  private static String explain(Key k) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("  section", k.section().title));
    rows.add(
        List.of(
            "  for",
            String.join(
                ", ",
                Arrays.stream(TaskType.values())
                    .filter(k::isFor)
                    .map(t -> t.models + " (task_type: " + t.label + ")")
                    .toList())));
    rows.add(List.of("  value", k.values()));
    String byDefault = Key.plain(k.shownDefaults());
    rows.add(List.of("  default", byDefault.isEmpty() ? "none" : byDefault));
    if (k.has(Mark.SAME_VALUE) || k.has(Mark.LAYOUT)) {
      rows.add(List.of("  --resume", "must have the same value"));
    } else if (k.has(Mark.SAME_CONTENT)) {
      rows.add(List.of("  --resume", "must name the same content"));
    }
    rows.add(List.of("  example", k.exampleLine()));
    String more = k.detail().isEmpty() ? "" : k.plainDetail() + System.lineSeparator();
    return k.name()
        + ": "
        + k.plainSentence()
        + System.lineSeparator()
        + more
        + System.lineSeparator()
        + aligned(rows);
  }

  private static String aligned(List<List<String>> rows) {
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < row.size(); c++) {
        line.append(c == row.size() - 1 ? row.get(c) : padded(row.get(c), width(rows, c)));
      }
      text.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }
    return text.toString();
  }

  private static int width(List<List<String>> rows, int column) {
    return rows.stream()
        .filter(r -> r.size() > column + 1)
        .mapToInt(r -> r.get(column).length())
        .max()
        .orElse(0);
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(width - text.length() + 2);
  }
}
