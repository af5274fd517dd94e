package org.loranative.train.llm;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.train.RunFolder;

/**
 * The date that a chat template prints ({@code strftime_now}) is part of a run: resumed on another
 * day, its training text would be another one.
 */
public final class TemplateDate {
  private TemplateDate() {}

  /** The configured date, else that of the run to be resumed, else the present. */
  public static String of(TrainConfig config, boolean resume) {
    if (!config.templateDate().isEmpty()) {
      return config.templateDate();
    }
    return (resume ? ofCheckpoint(Path.of(config.outputDir())) : Optional.<String>empty())
        .orElseGet(() -> LocalDateTime.now().truncatedTo(ChronoUnit.SECONDS).toString());
  }

  private static Optional<String> ofCheckpoint(Path run) {
    List<Path> checkpoints = Files.isDirectory(run) ? RunFolder.checkpoints(run) : List.of();
    if (checkpoints.isEmpty()) {
      return Optional.empty();
    }
    Path file = checkpoints.get(checkpoints.size() - 1).resolve("config.yaml");
    return Files.exists(file)
        ? Optional.of(ConfigReader.read(Optional.of(file), List.of()).templateDate())
            .filter(d -> !d.isEmpty())
        : Optional.empty();
  }
}
