package org.loranative.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import org.loranative.diagnose.Recording;
import org.loranative.diagnose.RunCurves;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native doctor}. */
@Command(
    name = "doctor",
    description =
        "Say what a run's loss curve shows, since which step, and which setting to change.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Reads other tools' files too: event files (kohya's scripts, diffusers, OneTrainer,"
          + " ai-toolkit,",
      "diffusion-pipe, Lightning, Transformers and what is built on it), trainer_state.json and",
      "trainer_log.jsonl. Of a folder with several runs each is judged, in a table."
    })
final class DoctorCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "RUN",
      description = "A run's folder, a folder of runs, an event file or trainer_state.json.")
  private Path place;

  @Option(
      names = "--task",
      description = "llm or sd, where tags and values do not tell: their losses differ.")
  private Optional<String> task = Optional.empty();

  @Option(names = "--json", description = "Print an array of objects instead of lines.")
  private boolean json;

  private record Judged(Recording run, List<Finding> findings) {}

  @Override
  public Integer call() throws Exception {
    if (task.isPresent() && !List.of("llm", "sd").contains(task.get())) {
      throw new UserException("--task is " + task.get() + ", but must be llm or sd.");
    }
    List<Recording> runs =
        Recording.at(
            place, (at, e) -> System.err.println("Warning: " + at + ": " + e.getMessage()));
    if (runs.isEmpty()) {
      throw new UserException(
          place
              + " holds no event file (events.out.tfevents.…), trainer_state.json or"
              + " trainer_log.jsonl with a training loss.");
    }
    runs.forEach(r -> r.damage().forEach(d -> System.err.println("Warning: " + d)));
    List<Judged> judged = runs.stream().map(this::judge).toList();
    if (json) {
      print(judged);
    } else if (judged.size() == 1) {
      judged.get(0).findings().forEach(System.out::println);
    } else {
      table(judged);
    }
    return 0;
  }

  private Judged judge(Recording run) {
    RunCurves curves = run.curves();
    if (curves.loss().size() == 0) {
      throw new UserException(
          place
              + " has no curve that is named like a training loss: "
              + curves.scalars().keySet().stream().sorted().toList()
              + ".");
    }
    if (task.isPresent()) {
      Map<String, String> settings = new HashMap<>(curves.settings());
      settings.put("task_type", task.get());
      curves = new RunCurves(curves.scalars(), settings);
    }
    return new Judged(run, Doctor.examine(curves));
  }

  private static void table(List<Judged> judged) {
    int widest = judged.stream().mapToInt(j -> j.run().name().length()).max().orElse(0);
    int verdict =
        judged.stream().mapToInt(j -> Finding.verdict(j.findings()).title.length()).max().orElse(0);
    String row = "%-" + widest + "s  %8s  %-" + verdict + "s  %s%n";
    System.out.printf(row, "run", "steps", "verdict", "evidence");
    for (Judged j : judged) {
      Finding.Symptom symptom = Finding.verdict(j.findings());
      String evidence =
          j.findings().stream()
              .filter(f -> f.symptom() == symptom)
              .findFirst()
              .orElseThrow()
              .evidence();
      long steps = j.run().curves().loss().steps()[j.run().curves().loss().size() - 1];
      System.out.printf(row, j.run().name(), steps, symptom.title, evidence);
    }
    System.out.println("lora-native doctor FOLDER of one of them says what to change.");
  }

  private void print(List<Judged> judged) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    ArrayNode all = mapper.createArrayNode();
    for (Judged j : judged) {
      for (Finding f : j.findings()) {
        ObjectNode node = all.addObject();
        if (judged.size() > 1) {
          node.put("run", j.run().name());
        }
        node.put("kind", f.symptom().name().toLowerCase(Locale.ROOT))
            .put("severity", f.symptom().severity.name().toLowerCase(Locale.ROOT))
            .put("step", f.step())
            .put("evidence", f.evidence())
            .put("advice", f.advice());
      }
    }
    System.out.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(all));
  }
}
