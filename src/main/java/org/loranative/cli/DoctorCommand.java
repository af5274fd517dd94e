package org.loranative.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.diagnose.Doctor;
import org.loranative.diagnose.Finding;
import org.loranative.diagnose.RunCurves;
import org.loranative.track.RecordedRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native doctor}. */
@Command(
    name = "doctor",
    description =
        "Say what a run's loss curve shows, since which step, and which setting to change.",
    mixinStandardHelpOptions = true,
    footer = {"", "Reads event files of other tools too (kohya's scripts, PyTorch, Transformers)."})
final class DoctorCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RUN", description = "A run's folder, or an event file.")
  private Path place;

  @Option(
      names = "--task",
      description = "llm or sd, where the event file does not say: their losses differ.")
  private Optional<String> task;

  @Option(names = "--json", description = "Print an array of objects instead of lines.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    RecordedRun run = new RecordedRun(eventPlace(place)).readAll();
    if (run.points() == 0) {
      throw new UserException(place + " holds no curve yet.");
    }
    run.damage().forEach(d -> System.err.println("Warning: " + d));
    RunCurves curves = RunCurves.of(run);
    if (task.isPresent()) {
      if (!List.of("llm", "sd").contains(task.get())) {
        throw new UserException("--task is " + task.get() + ", but must be llm or sd.");
      }
      Map<String, String> settings = new HashMap<>(curves.settings());
      settings.put("task_type", task.get());
      curves = new RunCurves(curves.scalars(), settings);
    }
    if (curves.loss().size() == 0) {
      throw new UserException(
          place + " has no curve that is named like a training loss: " + run.tags() + ".");
    }
    print(Doctor.examine(curves));
    return 0;
  }

  private void print(List<Finding> findings) throws Exception {
    if (!json) {
      findings.forEach(System.out::println);
      return;
    }
    ObjectMapper mapper = new ObjectMapper();
    ArrayNode all = mapper.createArrayNode();
    for (Finding f : findings) {
      all.addObject()
          .put("kind", f.kind().name().toLowerCase(Locale.ROOT))
          .put("severity", f.kind().severity.name().toLowerCase(Locale.ROOT))
          .put("step", f.step())
          .put("evidence", f.evidence())
          .put("advice", f.advice());
    }
    System.out.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(all));
  }

  /** The folder that holds event files: the one named, or the logs of a run. */
  static Path eventPlace(Path place) throws java.io.IOException {
    if (!Files.exists(place)) {
      throw new UserException(place + " does not exist; name a run's folder or an event file.");
    }
    if (Files.isRegularFile(place)) {
      return place;
    }
    for (Path folder : List.of(place, place.resolve("logs"))) {
      if (Files.isDirectory(folder)) {
        try (var files = Files.list(folder)) {
          if (files.anyMatch(RecordedRun::isEventFile)) {
            return folder;
          }
        }
      }
    }
    throw new UserException(place + " holds no event file (events.out.tfevents.…).");
  }
}
