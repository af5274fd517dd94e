package org.loranative.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What several runs have in common, and the folder that takes them. */
final class RunsOptions {
  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "The settings that stay.")
  private Optional<Path> config = Optional.empty();

  @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set a key for all runs.")
  private List<String> overrides = List.of();

  @Option(names = "--output-dir", required = true, description = "The folder that takes the runs.")
  private Path folder;

  Optional<Path> config() {
    return config;
  }

  List<String> overrides() {
    return overrides;
  }

  Path folder() {
    return folder;
  }
}
