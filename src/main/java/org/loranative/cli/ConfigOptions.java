package org.loranative.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.config.ConfigReader;
import org.loranative.config.TaskType;
import org.loranative.config.TrainConfig;
import org.loranative.train.llm.TemplateDate;
import picocli.CommandLine.Option;

/** {@code --config} and {@code --set}, which {@code train} and {@code plan} share. */
final class ConfigOptions {
  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "The run's settings, in YAML.")
  private Optional<Path> config = Optional.empty();

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description =
          "Set a key, overriding the file; repeatable, lists as [a,b]. Enough by itself:"
              + " --config may be left out.")
  private List<String> overrides = List.of();

  @Option(
      names = "--strict",
      description = "Refuse doubtful images instead of warning: --set strict_data=true.")
  private boolean strict;

  TrainConfig read() {
    return read(List.of());
  }

  /** With what a run that begins or goes on now keeps. */
  TrainConfig readForRun(boolean resume) {
    TrainConfig config = read();
    config.requireComplete();
    return config.task() == TaskType.LLM
        ? read(List.of("template_date=" + TemplateDate.of(config, resume)))
        : config;
  }

  private TrainConfig read(List<String> more) {
    List<String> all = new ArrayList<>(overrides);
    all.addAll(more);
    if (strict) {
      all.add("strict_data=true");
    }
    return ConfigReader.read(config, all);
  }
}
